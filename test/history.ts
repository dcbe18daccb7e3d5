import { execFileSync } from 'node:child_process'
import { mkdtempSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** The files of an older commit, or those in some of its folders, with the current packages. The caller removes the folder. */
export function filesAt(commit: string, ...paths: string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'millrace-before-'))
  try {
    const archive = execFileSync('git', ['archive', commit, ...paths], { maxBuffer: 2 ** 27 })
    execFileSync('tar', ['--extract', '--directory', root], { input: archive })
  } catch (cause) {
    throw new Error(`${commit} is not in the history. A shallow clone lacks it: git fetch --unshallow`, {
      cause,
    })
  }
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'))
  return root
}
