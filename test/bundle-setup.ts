import { spawnSync } from 'node:child_process'

/** Makes the bundles that the tests start. */
export default function setup(): void {
  const { status } = spawnSync(process.execPath, ['bundle.ts'], { stdio: 'inherit' })
  if (status !== 0) throw new Error('npm run bundle failed')
}
