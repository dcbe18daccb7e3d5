import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** The previous release, which may run while this version is rolled out. It changes with each release. */
const RELEASED = 'fe2f45fac523412fd877287a6a31e91c749542e4'

/** The code of the previous release with the current packages. The caller removes the folder. */
export function released(): string {
  const root = mkdtempSync(join(tmpdir(), 'millrace-released-'))
  try {
    const archive = execFileSync('git', ['archive', RELEASED, 'adapters', 'domains', 'functions', 'package.json'])
    execFileSync('tar', ['--extract', '--directory', root], { input: archive })
  } catch (cause) {
    throw new Error(`${RELEASED} is not to be had from the history. A shallow clone lacks it: git fetch --unshallow`, {
      cause,
    })
  }
  // Its entry points were in functions, and tests start those of this version.
  mkdirSync(join(root, 'main'))
  for (const name of ['dev', 'serve'])
    writeFileSync(join(root, `main/${name}.ts`), `import '../functions/${name}.ts'\n`)
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'))
  return root
}
