import { spawnSync } from 'node:child_process'

/** Makes the bundles that the tests start, and the local KafkaSource beside them. */
export default function setup(): void {
  for (const args of [[], ['source']]) {
    const { status } = spawnSync(process.execPath, ['bundle.ts', ...args], { stdio: 'inherit' })
    if (status !== 0) throw new Error('npm run bundle failed')
  }
}
