import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { afterOverload, outcomesPerSecond, outcomeTimes } from './beside-restate.ts'
import { decideDrains, drains } from './drain.ts'
import { folds } from './fold.ts'
import { calls } from './grpc.ts'
import { hotStreams } from './hot.ts'
import { decideLatencies, latencies } from './latency.ts'
import { ingests, logLatencies } from './logs.ts'
import { publishing } from './publish.ts'
import { reads } from './reads.ts'
import { type Figure, table } from './report.ts'
import { cleanUp, lacking, type Pair } from './sandbox.ts'
import { sealing } from './seal.ts'
import { stopAll } from './served.ts'
import { starts } from './start.ts'
import { threads } from './thread.ts'

/**
 * `make bench`: our figures and their floors, measured in one run on one machine. Compare ratios, not figures.
 * `node test/bench/bench.ts --quick` checks in seconds that everything runs. `--only b,d` measures some rows.
 */
const ROWS = {
  a: 'bare servers with the same check of the same body',
  b: 'publish: requests/s and CPU time of the server for each request',
  c: 'end to end, open loop: from when a request was due to the 201 that says it is stored (Prefer: wait=10)',
  d: 'drain of a full topic by the whole Millrace',
  e: "the driver's insertMany (w: majority, j: true), the floor of d",
  f: 'persist: a hundred deliveries in flight against one',
  h: 'decide beside append: drain of sums, and from when a sum was due to the 200 that says it is stored (Prefer: wait=10)',
  i: 'decide: a hundred deliveries in flight, all on one stream or view against each on its own, in one persist and in two',
  j: 'SumService.AddNumbers over gRPC beside POST /api/sums, as many in flight; calls share a connection, posts have one each',
  k: 'log ingest: events that publish takes by NDJSON, beside single posts',
  l: "log events sent by the generator: from publish's acceptance to when a live reader has them; what the store alone inserts",
  m: 'the forum: a thread of very many posts beside one of ten, in a mill of its own; one request after the other',
  n: 'the seal of a record: its share of the CPU of publish and persist, each behind HTTP',
  o: 'reads by GET, with a token, 32 connections: CPU time of the server for each request, beside a server without Millrace on the same documents',
  g: 'cold start to the first 2xx of /health/ready',
  p: 'beside Restate, embedded, open loop: from when a command was due to its outcome',
  q: 'beside Restate, embedded, closed loop: outcomes/s, and the CPU time of all processes of the server for each',
  r: 'beside Restate, embedded: sums at 10/s before and after three seconds at 3,000/s',
}
/** The first of these rows installs Restate from npm, in .millrace/tools, so they are measured only if `--only` names them. */
const ASKED_FOR = ['p', 'q', 'r']

const ROUTINE = Object.keys(ROWS).filter((row) => !ASKED_FOR.includes(row))

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', default: ROUTINE.join() } },
})
const only = values.only.split(',')
const strange = only.filter((row) => !(row in ROWS))
if (strange.length > 0) throw new Error(`There is no row ${strange}. There are ${Object.keys(ROWS).join()}.`)
const wanted = (row: string) => only.includes(row)
const isQuick = values.quick

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    stopAll()
    await cleanUp().catch(() => undefined)
    process.exit(130)
  })
}

const lacks = await lacking()
const pairs: Pair[] = lacks ? ['embedded'] : ['embedded', 'real']
if (lacks) console.log(`Only the embedded pair is measured: ${lacks}. make services starts both.`)

const figures: Figure[] = []
const failures: string[] = []
await measure(['a', 'b'], () => publishing(pairs, isQuick, wanted('b')))
await measure(['c'], () => latencies(pairs, isQuick))
await measure(['d', 'e'], () => drains(pairs, isQuick, wanted))
await measure(['f'], () => folds(pairs, isQuick))
await measure(['h'], async () => [...(await decideDrains(pairs, isQuick)), ...(await decideLatencies(pairs, isQuick))])
await measure(['i'], () => hotStreams(pairs, isQuick))
await measure(['j'], () => calls(isQuick))
await measure(['k'], () => ingests(pairs, isQuick))
await measure(['l'], () => logLatencies(pairs, isQuick))
await measure(['m'], () => threads(isQuick))
await measure(['n'], () => sealing(pairs, isQuick))
await measure(['o'], () => reads(pairs, isQuick))
await measure(['g'], () => starts(pairs, isQuick))
await measure(['p'], () => outcomeTimes(isQuick))
await measure(['q'], () => outcomesPerSecond(isQuick))
await measure(['r'], () => afterOverload(isQuick))

const machine = {
  node: process.version,
  cpu: cpus()[0]?.model ?? '',
  cores: availableParallelism(),
  load: loadavg()[0],
}
const notes = Object.entries(ROWS).filter(([row]) => figures.some((figure) => figure.row === row))
console.log(`\n${table(figures)}\n`)
for (const [row, note] of notes) console.log(`${row}: ${note}`)
console.log(
  `Node ${machine.node}, ${machine.cores} x ${machine.cpu}, load ${machine.load?.toFixed(1)}; see bench.json.`,
)
for (const failure of failures) console.error(failure)
writeFileSync(
  'bench.json',
  `${JSON.stringify({ at: new Date().toISOString(), isQuick, machine, lacks, failures, figures }, undefined, 2)}\n`,
)
stopAll()
await cleanUp()
process.exit(failures.length > 0 ? 1 : 0)

/** Measures a row. A failure is reported and fails the run, but the other rows are measured. */
async function measure(rows: string[], run: () => Promise<Figure[]>): Promise<void> {
  if (!rows.some(wanted)) return
  const began = performance.now()
  process.stdout.write(`measuring ${rows.filter(wanted).join(', ')} ... `)
  try {
    figures.push(...(await run()))
  } catch (error) {
    failures.push(`${rows.join(', ')}: ${error instanceof Error ? error.stack : error}`)
  }
  console.log(`${((performance.now() - began) / 1000).toFixed(0)} s`)
}
