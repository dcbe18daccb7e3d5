import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Gives a file that is whole its name. */
export async function keep(part: string, copy: string): Promise<void> {
  await rename(part, copy)
  await syncFolder(copy)
}

/** Adds a line to a file whose lines are never touched again. Where a crash has cut off its last line, the next one begins below that. */
export async function append(path: string, line: string): Promise<void> {
  const file = await open(path, 'a+')
  try {
    const { size } = await file.stat()
    const { buffer: end } = await file.read({ position: Math.max(0, size - 1), length: 1, buffer: Buffer.alloc(1) })
    const isCutOff = size > 0 && String(end) !== '\n'
    await file.appendFile(`${isCutOff ? '\n' : ''}${line}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await syncFolder(path)
}

/** A name lasts once its folder is on disk. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path))
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
