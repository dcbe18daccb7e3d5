import {
  ADDITIONS,
  openLoop,
  overload,
  type Posted,
  type Sent,
  type Throughput,
  TITLES,
  throughput,
  untilVisible,
} from './load.ts'
import { percentile } from './percentile.ts'
import { atLeast, atMost, type Figure } from './report.ts'
import { startRestate } from './restate.ts'
import { newSandbox } from './sandbox.ts'
import { ours, type Served, serve } from './served.ts'

type System = 'restate' | 'millrace'

const STARTS: Record<System, () => Promise<Served>> = {
  restate: startRestate,
  millrace() {
    const { env, root } = newSandbox('embedded')
    return serve(ours(env, root, 'main/dev.ts'))
  },
}

const NAME = 'Restate'
const HEADERS = { prefer: 'wait=10', 'idempotency-key': '[<id>]' }

interface Command {
  name: string
  posted: Record<System, Posted>
}

/** The same command for both: one body, and an idempotency key of its own for each request. Restate's objects have it as their key too. */
const COMMANDS: [Command, ...Command[]] = [
  {
    name: 'sum',
    posted: {
      millrace: { ...ADDITIONS, headers: HEADERS },
      restate: { path: '/sums/[<id>]/add', body: ADDITIONS.body, stored: 200, headers: HEADERS },
    },
  },
  {
    name: 'tutorial',
    posted: {
      millrace: { ...TITLES, headers: HEADERS },
      restate: { path: '/tutorials/[<id>]/publish', body: TITLES.body, stored: 200, headers: HEADERS },
    },
  },
]

const LOADS = [
  { perSecond: 50, seconds: 5 },
  { perSecond: 200, seconds: 5 },
  { perSecond: 1000, seconds: 3 },
]
/** The tutorials of each second that a query looks for, instead of waiting for their outcome. */
const LOOKED_FOR = 20

/** Row p: from when a command was due to its outcome, and with Millrace also to when a query finds its document. */
export async function outcomeTimes(isQuick: boolean): Promise<Figure[]> {
  const figures: Figure[] = []
  const steps = COMMANDS.flatMap(({ name, posted }) => LOADS.map((load) => ({ ...load, name, posted })))
  const results = await ofBoth(async ({ url }, system) => {
    for (const { posted } of COMMANDS) await openLoop(url, 200, isQuick ? 1 : 2, posted[system])
    const times: (Times & { visible: number })[] = []
    for (const { posted, perSecond, seconds } of steps) {
      const duration = isQuick ? 1 : seconds
      const looks = system === 'millrace' && posted.millrace.path === TITLES.path ? LOOKED_FOR : 0
      const [outcomes, visible] = await Promise.all([
        openLoop(url, perSecond - looks, duration, posted[system]),
        untilVisible(url, looks, duration, posted[system]),
      ])
      times.push({ ...timesOf(outcomes), visible: percentile(visible, 0.5) })
    }
    return times
  })
  for (const [at, { restate, millrace }] of results.entries()) {
    const { name = '', perSecond = 0 } = steps[at] ?? {}
    const label = `${name} to outcome, ${perSecond.toLocaleString('en')}/s`
    figures.push(...latencies('p', label, { restate, millrace }))
    if (Number.isNaN(millrace.visible)) continue
    const behind = millrace.p50 - millrace.visible
    figures.push({
      row: 'p',
      name: `${name} visible to a query, ${perSecond}/s, p50`,
      value: millrace.visible,
      unit: 'ms',
    })
    figures.push({
      row: 'p',
      name: `${label}, behind visible`,
      value: behind,
      unit: 'ms',
      aim: atMost(behind, 2, ' ms'),
    })
  }
  return figures
}

/** Row q: closed loops of clients who wait for the outcome of each command before they send the next. */
export async function outcomesPerSecond(isQuick: boolean): Promise<Figure[]> {
  const clients = isQuick ? [32] : [32, 128]
  const steps = COMMANDS.flatMap((command) => clients.map((connections) => ({ ...command, connections })))
  const results = await ofBoth(async (server, system) => {
    const seen: Throughput[] = []
    for (const { posted, connections } of steps) {
      const { path, body, stored: status, headers = {} } = posted[system]
      const sent: Sent = { over: 'http', path, bodies: [body], headers, status }
      await throughput(server, sent, connections, isQuick ? 1 : 2)
      seen.push(await throughput(server, sent, connections, isQuick ? 1 : 4))
    }
    return seen
  })
  return results.flatMap(({ restate, millrace }, at) => {
    const label = `${steps[at]?.name}s, ${steps[at]?.connections} connections`
    const perSecond = { restate: restate.perSecond, millrace: millrace.perSecond }
    const cpu = { restate: restate.cpuMicros, millrace: millrace.cpuMicros }
    return [
      ...beside('q', label, perSecond, 'outcomes/s', atLeast(perSecond.millrace / perSecond.restate, 3, 'x')),
      ...beside('q', label, cpu, 'CPU us/outcome'),
    ]
  })
}

/** Row r: sums at ten a second, before and after an overload, which ends with the response to its last request. */
export async function afterOverload(isQuick: boolean): Promise<Figure[]> {
  const [{ posted }] = COMMANDS
  const results = await ofBoth(async ({ url }, system) => {
    await openLoop(url, 200, isQuick ? 1 : 2, posted[system])
    const before = timesOf(await openLoop(url, 10, isQuick ? 2 : 5, posted[system]))
    await overload(url, 3000, isQuick ? 1 : 3, posted[system])
    return [before, timesOf(await openLoop(url, 10, isQuick ? 3 : 20, posted[system]))]
  })
  const [before, after] = results as [Both<Times>, Both<Times>]
  const stall = after.millrace.p50 / before.millrace.p50
  return [
    ...latencies('r', 'sum to outcome, 10/s, before the overload', before),
    ...latencies('r', 'sum to outcome, 10/s, first 200 after it', after),
    {
      row: 'r',
      name: 'Millrace, after the overload, p50',
      value: after.millrace.p50,
      unit: 'ms',
      ratio: { of: 'before it', value: stall },
      aim: atMost(stall, 1.5, 'x'),
    },
  ]
}

interface Both<Result> {
  restate: Result
  millrace: Result
}

/** Measures one system after the other in the same steps. */
async function ofBoth<Result>(measure: (served: Served, system: System) => Promise<Result[]>): Promise<Both<Result>[]> {
  const [restate, millrace] = [await measured('restate'), await measured('millrace')]
  return millrace.map((own, at) => ({ restate: restate[at] as Result, millrace: own }))

  async function measured(system: System): Promise<Result[]> {
    const served = await STARTS[system]()
    try {
      return await measure(served, system)
    } finally {
      await served.stop()
    }
  }
}

interface Times {
  p50: number
  p99: number
}

const timesOf = (sorted: number[]): Times => ({ p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) })

function latencies(row: string, name: string, { restate, millrace }: Both<Times>): Figure[] {
  const p50 = { restate: restate.p50, millrace: millrace.p50 }
  const p99 = { restate: restate.p99, millrace: millrace.p99 }
  return [
    ...beside(row, `${name}, p50`, p50, 'ms', atMost(p50.millrace / p50.restate, 1, 'x')),
    ...beside(row, `${name}, p99`, p99, 'ms', row === 'p' ? atMost(p99.millrace, 20, ' ms') : undefined),
  ]
}

/** The value of each system, with the ratio of ours to that of Restate. */
function beside(
  row: string,
  label: string,
  { restate, millrace }: Both<number>,
  unit: string,
  aim?: Figure['aim'],
): Figure[] {
  const ratio = { of: NAME, value: millrace / restate }
  return [
    { row, name: `${NAME}, ${label}`, value: restate, unit },
    { row, name: `Millrace, ${label}`, value: millrace, unit, ratio, ...(aim && { aim }) },
  ]
}
