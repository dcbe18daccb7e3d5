import { execFileSync } from 'node:child_process'
import { buildSync } from 'esbuild'
import { median } from './percentile.ts'
import { atMost, type Figure } from './report.ts'
import { newSandbox, type Pair } from './sandbox.ts'
import { type Command, framework, ours, serve } from './served.ts'

const FRAMEWORK = 'bare functions-framework'
const ROUNDS = 7
/** The bare servers as JavaScript, since stripping types would slow their start. */
const BARE = 'dist/bare'
const MODULE = { platform: 'node', format: 'esm', outExtension: { '.js': '.mjs' } } as const

/** Row g: the time from the start of a process to its first 2xx, with our bundles of the image. They take turns, and the median counts. */
export async function starts(pairs: Pair[], isQuick: boolean): Promise<Figure[]> {
  execFileSync(process.execPath, ['bundle.ts'])
  const bare = ['bare-http', 'bare-framework'].map((name) => `test/bench/${name}.ts`)
  buildSync({ entryPoints: bare, outdir: BARE, bundle: true, packages: 'external', ...MODULE })
  const subjects: { name: string; command: Command }[] = [
    { name: 'bare node:http', command: { args: [`${BARE}/bare-http.mjs`] } },
    { name: FRAMEWORK, command: framework(`${BARE}/bare-framework.mjs`, 'bare') },
  ]
  for (const pair of pairs) {
    for (const target of ['publish', 'persist', 'query']) {
      const { env } = newSandbox(pair)
      const command = ours({ ...env, FUNCTION_TARGET: target }, '.', 'dist/serve.mjs')
      subjects.push({ name: `${target}, ${pair} pair`, command })
    }
  }
  const times = new Map(subjects.map(({ name }) => [name, [] as number[]]))
  for (let round = 0; round < (isQuick ? 1 : ROUNDS); round++) {
    for (const { name, command } of subjects) {
      const server = await serve(command)
      times.get(name)?.push(server.readyMs)
      await server.stop()
    }
  }
  const floor = median(times.get(FRAMEWORK) ?? [])
  return [...times].map(([name, each], index) => {
    const value = median(each)
    const figure: Figure = { row: 'g', name: `cold start of ${name}`, value, unit: 'ms' }
    if (index < 2) return figure
    return { ...figure, ratio: { of: FRAMEWORK, value: value / floor }, aim: atMost(value / floor, 1.5, 'x') }
  })
}
