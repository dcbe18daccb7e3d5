import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Renames a complete file. The new name is on disk when this resolves. */
export async function renameDurably(part: string, copy: string): Promise<void> {
  await rename(part, copy)
  await syncFolder(copy)
}

/** Appends a line to a file. If a crash truncated the last line, the new one starts on a new line. */
export async function appendLine(path: string, line: string): Promise<void> {
  const file = await open(path, 'a+')
  try {
    const { size } = await file.stat()
    const { buffer: end } = await file.read({ position: Math.max(0, size - 1), length: 1, buffer: Buffer.alloc(1) })
    const isTruncated = size > 0 && String(end) !== '\n'
    await file.appendFile(`${isTruncated ? '\n' : ''}${line}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await syncFolder(path)
}

/** A name is durable once its folder is on disk. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path))
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
