import { setTimeout as sleep } from 'node:timers/promises'
import { isLost, type KubeObject, lackOf, troubleOf } from './readiness.ts'
import type { World } from './world.ts'

const POLL_MS = 2_000
const EVENTS = 10
const LINES = 10

/**
 * Resolves once every listed object is ready, and there is at least one. Says what is lacking whenever that changes; at
 * the time limit, or when an object can't become ready any more, throws what is not ready and why.
 */
export async function untilReady(world: World, what: string, list: () => Promise<KubeObject[]>): Promise<void> {
  const deadline = Date.now() + world.settings.LIMIT * 1000
  let said = ''
  for (;;) {
    const objects = await list()
    const lacking = objects.flatMap((object) => sayLack(object))
    if (objects.length > 0 && lacking.length === 0) return world.say(`  ${what}: ready`)
    const line = lacking.join(', ') || 'nothing there yet'
    if (line !== said) world.say(`  ${what}: ${line}`)
    said = line
    if (objects.some(isLost)) throw new Error(`${what} failed.${await reasons(world, objects)}`)
    if (Date.now() > deadline) {
      throw new Error(`${what} not ready within ${world.settings.LIMIT} s: ${line}.${await reasons(world, objects)}`)
    }
    await sleep(Math.min(POLL_MS, Math.max(0, deadline - Date.now()) + 1))
  }
}

function sayLack(object: KubeObject): string[] {
  const lack = lackOf(object)
  return lack ? [`${object.kind} ${object.metadata.name} (${lack})`] : []
}

/** What Jobs last said, the pods that are not ready, and the last warnings, in the namespaces of what was waited for. */
async function reasons(world: World, objects: KubeObject[]): Promise<string> {
  const namespaces = new Set(objects.map(({ metadata }) => metadata.namespace).filter((name) => name !== undefined))
  const jobs = objects.filter((object) => object.kind === 'Job' && lackOf(object))
  const lines = await Promise.all([
    ...jobs.map((job) => lastWords(world, job)),
    ...[...namespaces].map((namespace) => reasonsIn(world, namespace)),
  ])
  return lines
    .flat()
    .map((line) => `\n  ${line}`)
    .join('')
}

async function lastWords({ kubectl }: World, { metadata: { name, namespace } }: KubeObject): Promise<string[]> {
  const job = [`job/${name}`, '--namespace', namespace ?? 'default']
  // There may be no pod yet.
  const said = await kubectl(['logs', ...job, `--tail=${LINES}`]).catch((error: Error) => error.message)
  return said
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `job ${name}: ${line}`)
}

async function reasonsIn(world: World, namespace: string): Promise<string[]> {
  const pods = await world.list(['pods', '--namespace', namespace])
  const warnings = (await world.list([
    ...['events', '--namespace', namespace],
    ...['--field-selector', 'type=Warning', '--sort-by', '.lastTimestamp'],
  ])) as (KubeObject & Warning)[]
  return [
    ...pods.flatMap((pod) => {
      const trouble = troubleOf(pod)
      return trouble ? [`pod ${namespace}/${pod.metadata.name}: ${trouble}`] : []
    }),
    ...warnings
      .slice(-EVENTS)
      .map(({ involvedObject: { kind, name }, reason, message }) => `event ${kind} ${name}: ${reason}: ${message}`),
  ]
}

interface Warning {
  involvedObject: { kind: string; name: string }
  reason: string
  message: string
}
