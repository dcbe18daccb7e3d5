import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesAt } from '../history.ts'

/** The previous release, which may run while this version is rolled out. It changes with each release. */
const RELEASED = 'fe2f45fac523412fd877287a6a31e91c749542e4'

/** The code of the previous release with the current packages. The caller removes the folder. */
export function released(): string {
  const root = filesAt(RELEASED, 'adapters', 'domains', 'functions', 'package.json')
  // Its entry points were in functions, and tests start those of this version.
  mkdirSync(join(root, 'main'))
  for (const name of ['dev', 'serve'])
    writeFileSync(join(root, `main/${name}.ts`), `import '../functions/${name}.ts'\n`)
  return root
}
