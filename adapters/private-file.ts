import { randomUUID } from 'node:crypto'
import { type FileHandle, link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The content of a file that only this user can read. The first call creates it from `make`. */
export async function readOrCreate(dir: string, name: string, make: () => Promise<string>): Promise<string> {
  const file = join(dir, name)
  await mkdir(dir, { recursive: true })
  return await readFile(file, 'utf8').catch(async () => {
    await createOnce(file, await make())
    return await readFile(file, 'utf8')
  })
}

/** Creates the file completely or not at all, also after a power failure. Of two concurrent creators the first one wins. */
async function createOnce(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`
  try {
    await flushed(await open(draft, 'wx', 0o600), (handle) => handle.writeFile(text))
    await link(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
  await flushed(await open(dirname(file)))
}

/** Runs `write`, then flushes the file or folder to disk, and closes it. */
async function flushed(handle: FileHandle, write?: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await write?.(handle)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
