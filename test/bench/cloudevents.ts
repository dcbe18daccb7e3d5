import { CloudEvent, HTTP, Kafka } from 'cloudevents'
import { toDelivery } from '#core/cloudevent.ts'
import { type AcceptedCommand, toRecord } from '#functions/publish/accepted-command.ts'
import { SEALS } from '../trust.ts'

/**
 * `node test/bench/cloudevents.ts`: the CPU time of our CloudEvents code beside that of the SDK, both in one process and in turns. It is the
 * evidence of docs/decisions/cloudevents.md.
 */
const TIMES = 200_000
const ROUNDS = 5

const command: AcceptedCommand = {
  id: '0191e4c2-7b5a-7c3d-8e4f-a1b2c3d4e5f6',
  type: 'tutorials.publish',
  stream: 'tutorial/0191e4c2-7b5a-7c3d-8e4f-a1b2c3d4e5f6',
  time: Date.UTC(2030, 0, 1),
  actor: 'anonymous',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  data: { title: 'How water turns a wheel, and a wheel a stone' },
}
const topic = { name: 'tutorials', partitions: 3 }
const { record } = toRecord(command, topic, SEALS)
const value = String(record.value)
const body = Buffer.from(value)

const entries = Object.entries(record.headers as Record<string, string>)
const attributes = Object.fromEntries(
  entries.filter(([name]) => name.startsWith('ce_')).map(([name, text]) => [name.slice(3), text]),
) as Record<string, string> & { id: string; source: string; type: string; specversion: string }
const headers = {
  'content-type': 'application/json',
  ...Object.fromEntries(Object.entries(attributes).map(([name, text]) => [`ce-${name}`, text])),
}
const structured = Buffer.from(JSON.stringify({ ...attributes, data: command.data }))
const structuredType = { 'content-type': 'application/cloudevents+json' }

/** The record of a command, with attributes that are known at the call as they are in publish. */
const byHand = ({ id, type, time, actor, traceparent, seal, bodyhash, subject }: typeof attributes) => ({
  key: command.stream,
  value,
  headers: {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: id,
    ce_source: `/millrace/publish#${topic.name}`,
    ce_type: type,
    ce_subject: subject,
    ce_partitionkey: subject,
    ce_time: time,
    ce_bodyhash: bodyhash,
    ce_actor: actor,
    ce_traceparent: traceparent,
    ce_seal: seal,
  },
})

/** What the SDK does instead of `byHand`. */
const event = () => ({ ...attributes, datacontenttype: 'application/json', data: value })

const rows: [name: string, ours: () => unknown, sdk: () => unknown][] = [
  [
    'parse a binary delivery',
    () => toDelivery(headers, body),
    () => HTTP.toEvent({ headers, body: body.toString('utf8') }),
  ],
  [
    'parse a structured event',
    () => toDelivery(structuredType, structured),
    () => HTTP.toEvent({ headers: structuredType, body: structured.toString('utf8') }),
  ],
  ['write a record, attributes as an object', () => byHand(attributes), () => Kafka.binary(event())],
  ['write a record from a CloudEvent', () => byHand(attributes), () => Kafka.binary(new CloudEvent(event(), false))],
  ['write a record from a validated CloudEvent', () => byHand(attributes), () => Kafka.binary(new CloudEvent(event()))],
]

/** The last result is kept, so that the compiler can not skip the work. */
let last: unknown

function cpuOf(work: () => unknown): number {
  const before = process.cpuUsage()
  for (let done = 0; done < TIMES / ROUNDS; done++) last = work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (TIMES / ROUNDS)
}

for (const [name, ours, sdk] of rows) {
  const rounds = Array.from({ length: ROUNDS + 1 }, () => [cpuOf(ours), cpuOf(sdk)] as const).slice(1)
  const [a, b] = [0, 1].map((side) => Math.min(...rounds.map((round) => round[side] as number))) as [number, number]
  console.log(`${name}: ours ${a.toFixed(2)} us, SDK ${b.toFixed(2)} us, ratio ${(b / a).toFixed(1)}`)
}
console.log(`toRecord with its seal: ${cpuOf(() => toRecord(command, topic, SEALS)).toFixed(2)} us`)
if (last === undefined) throw new Error('nothing was measured')
