import { median } from './load.ts'
import { newPlace, type Pair } from './place.ts'
import { atMost, type Figure } from './report.ts'
import { bareFramework, bareHttp, type Command, ours, serve } from './served.ts'

const FRAMEWORK = 'bare functions-framework'
const ROUNDS = 7

/** Row g: from the start of a process to its first 2xx. They take turns, and the median counts. */
export async function starts(pairs: Pair[], isQuick: boolean): Promise<Figure[]> {
  const subjects: { name: string; command: Command }[] = [
    { name: 'bare node:http', command: bareHttp },
    { name: FRAMEWORK, command: bareFramework },
  ]
  for (const pair of pairs) {
    for (const target of ['publish', 'persist', 'query']) {
      const { env, root } = newPlace(pair)
      subjects.push({ name: `${target}, ${pair} pair`, command: ours({ ...env, FUNCTION_TARGET: target }, root) })
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
