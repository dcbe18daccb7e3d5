import { setTimeout as sleep } from 'node:timers/promises'
import { hasFailed, type KubeObject, notReadyReason, podProblem } from './readiness.ts'
import type { TargetCluster } from './target-cluster.ts'

const POLL_MS = 2_000
const EVENTS = 10
const LINES = 10

/**
 * Resolves once there is at least one listed object and all are ready. Prints the reasons of the others whenever they change. At
 * the time limit, or when an object has failed for good, throws the objects that are not ready with the reasons.
 */
export async function untilReady(
  target: TargetCluster,
  what: string,
  list: () => Promise<KubeObject[]>,
): Promise<void> {
  const deadline = Date.now() + target.settings.LIMIT * 1000
  let said = ''
  for (;;) {
    const objects = await list()
    const lacking = objects.flatMap((object) => reasonsNotReady(object))
    if (objects.length > 0 && lacking.length === 0) return target.print(`  ${what}: ready`)
    const line = lacking.join(', ') || 'no object yet'
    if (line !== said) target.print(`  ${what}: ${line}`)
    said = line
    if (objects.some(hasFailed)) throw new Error(`${what} failed.${await describeFailure(target, objects)}`)
    if (Date.now() > deadline) {
      throw new Error(
        `${what} not ready within ${target.settings.LIMIT} s: ${line}.${await describeFailure(target, objects)}`,
      )
    }
    await sleep(Math.min(POLL_MS, Math.max(0, deadline - Date.now()) + 1))
  }
}

function reasonsNotReady(object: KubeObject): string[] {
  const lack = notReadyReason(object)
  return lack ? [`${object.kind} ${object.metadata.name} (${lack})`] : []
}

/** The last log lines of the Jobs, the pods that are not ready, and the last warnings, in the namespaces of the objects. */
async function describeFailure(target: TargetCluster, objects: KubeObject[]): Promise<string> {
  const namespaces = new Set(objects.map(({ metadata }) => metadata.namespace).filter((name) => name !== undefined))
  const jobs = objects.filter((object) => object.kind === 'Job' && notReadyReason(object))
  const lines = await Promise.all([
    ...jobs.map((job) => lastLogLines(target, job)),
    ...[...namespaces].map((namespace) => describeNamespace(target, namespace)),
  ])
  return lines
    .flat()
    .map((line) => `\n  ${line}`)
    .join('')
}

async function lastLogLines(
  { kubectl }: TargetCluster,
  { metadata: { name, namespace } }: KubeObject,
): Promise<string[]> {
  const job = [`job/${name}`, '--namespace', namespace ?? 'default']
  // There may be no pod yet.
  const log = await kubectl(['logs', ...job, `--tail=${LINES}`]).catch((error: Error) => error.message)
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `job ${name}: ${line}`)
}

async function describeNamespace(target: TargetCluster, namespace: string): Promise<string[]> {
  const pods = await target.list(['pods', '--namespace', namespace])
  const warnings = (await target.list([
    ...['events', '--namespace', namespace],
    ...['--field-selector', 'type=Warning', '--sort-by', '.lastTimestamp'],
  ])) as (KubeObject & Warning)[]
  return [
    ...pods.flatMap((pod) => {
      const trouble = podProblem(pod)
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
