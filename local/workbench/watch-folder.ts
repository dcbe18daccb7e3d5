import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** Several editors write a file in more than one step, within this time. */
const EVERY_MS = 150
/** A tool that writes for longer, such as a checkout, is followed in steps of this length. */
const MAX_SETTLING_MS = 1000

interface Seen {
  /** What the file system says of a file: no need to read one that says the same. */
  stamp: string
  text: string
}

/**
 * Calls `onChange` with the paths of files whose content changed, that are new or gone, once they have settled. Waits for it before it
 * looks again. It polls, because events of the file system get lost in new folders, on network disks and in containers.
 */
export function watchFolder(folder: string, onChange: (paths: string[]) => Promise<void>): { close(): void } {
  const stop = new AbortController()
  let seen = scan(folder, new Map())

  function changed(): string[] {
    const now = scan(folder, seen)
    const paths = new Set([...seen.keys(), ...now.keys()])
    const different = [...paths].filter((path) => seen.get(path)?.text !== now.get(path)?.text)
    seen = now
    return different
  }

  async function settled(): Promise<string[]> {
    const first = changed()
    const paths = new Set(first)
    for (let more = first, ms = 0; more.length > 0 && ms < MAX_SETTLING_MS; ms += EVERY_MS) {
      await setTimeout(EVERY_MS, undefined, { ref: false })
      more = changed()
      for (const path of more) paths.add(path)
    }
    return [...paths]
  }

  async function watch(): Promise<void> {
    while (!stop.signal.aborted) {
      await setTimeout(EVERY_MS, undefined, { ref: false })
      const paths = await settled()
      if (paths.length > 0 && !stop.signal.aborted) await onChange(paths)
    }
  }

  void watch()
  return { close: () => stop.abort() }
}

/** The files of a folder by path. A file that vanishes meanwhile counts as gone. */
function scan(folder: string, before: ReadonlyMap<string, Seen>, found = new Map<string, Seen>()): Map<string, Seen> {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name)
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
    if (entry.isDirectory()) scan(path, before, found)
    else {
      const file = look(path, before.get(path))
      if (file) found.set(path, file)
    }
  }
  return found
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

function look(path: string, before: Seen | undefined): Seen | undefined {
  try {
    const { mtimeMs, ctimeMs, size, ino } = statSync(path)
    const stamp = `${mtimeMs} ${ctimeMs} ${size} ${ino}`
    return stamp === before?.stamp ? before : { stamp, text: readFileSync(path, 'latin1') }
  } catch {
    return undefined
  }
}
