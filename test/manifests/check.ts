import { spawnSync } from 'node:child_process'
import { installTools, toolsLack } from './tools.ts'

/** `make check-manifests`. Where a tool can't be had it says so and passes, but not in CI. */
const lack = toolsLack()
if (lack) {
  console.log(`The manifests are not checked: there is ${lack}.`)
  process.exit(process.env.CI === 'true' ? 1 : 0)
}
await installTools()
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'manifests']
process.exit(spawnSync(process.execPath, vitest, { stdio: 'inherit' }).status ?? 1)
