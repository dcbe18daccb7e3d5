import { milliseconds } from '#local/kafka-source/duration.ts'
import { settings } from '#main/settings.ts'
import { isFunction, type Manifest, nameOf, ofKind } from '../overlay.ts'

/** What Knative accepts in silence and then does otherwise, or fails at. */
export function knativeViolations(object: Manifest): string[] {
  const found = isFunction(object)
    ? wrongScale(object)
    : object.kind === 'KafkaSource'
      ? [...wrongStart(object), ...wrongDelivery(object.spec.delivery ?? {})]
      : []
  return found.map((what) => `${nameOf(object)}: ${what}`)
}

const ANNOTATION = 'autoscaling.knative.dev/'
const BURST = 'target-burst-capacity'
const ANNOTATIONS = [
  'min-scale',
  'max-scale',
  'target',
  'metric',
  'target-utilization-percentage',
  'scale-down-delay',
  BURST,
]

const numberOf = (value: unknown): number => (/^\d+$/.test(String(value)) ? Number(value) : Number.NaN)

const annotationsOf = ({ spec }: Manifest): Record<string, string> =>
  Object.fromEntries(
    Object.entries<string>(spec.template.metadata?.annotations ?? {}).flatMap(([name, value]) =>
      name.startsWith(ANNOTATION) ? [[name.slice(ANNOTATION.length), value]] : [],
    ),
  )

function wrongScale(object: Manifest): string[] {
  const annotations = annotationsOf(object)
  const { containerConcurrency, timeoutSeconds } = object.spec.template.spec
  const [least, most, target] = ['min-scale', 'max-scale', 'target'].map((name) => numberOf(annotations[name]))
  const unknown = Object.keys(annotations).filter((name) => !ANNOTATIONS.includes(name))
  const found = unknown.map((name) => `${ANNOTATION}${name} is not known`)
  if (!((least as number) >= 1)) found.push(`min-scale is ${annotations['min-scale']}`)
  if (!((most as number) >= (least as number))) found.push(`max-scale is ${annotations['max-scale']}`)
  if (!((target as number) >= 1)) found.push(`target is ${annotations.target}`)
  if (annotations[BURST] !== '0') {
    found.push(`${BURST} is ${annotations[BURST]}, which keeps the activator in the way of every request`)
  }
  if (containerConcurrency !== 0) found.push(`containerConcurrency is ${containerConcurrency}, which bounds a batch`)
  if (!(timeoutSeconds >= 1 && timeoutSeconds <= 600)) found.push(`timeoutSeconds is ${timeoutSeconds}`)
  return found
}

function wrongStart({ spec }: Manifest): string[] {
  const found: string[] = []
  if (!spec.consumerGroup) found.push('has no consumerGroup, and starts again whenever it is created again')
  if (spec.initialOffset !== 'earliest') found.push(`initialOffset is ${spec.initialOffset}: skips what is there`)
  if (!['ordered', 'unordered'].includes(spec.ordering)) found.push(`ordering is ${spec.ordering}`)
  if (!(spec.consumers >= 1)) found.push(`consumers is ${spec.consumers}`)
  return found
}

/** Half a delivery switches the defaults off, and none of its values is looked at before the source runs. */
function wrongDelivery({
  retry,
  backoffPolicy,
  backoffDelay,
  timeout,
  deadLetterSink,
}: Record<string, unknown>): string[] {
  const found: string[] = []
  if (!(Number.isInteger(retry) && (retry as number) >= 1)) found.push(`retry is ${retry}`)
  if (!['linear', 'exponential'].includes(backoffPolicy as string)) found.push(`backoffPolicy is ${backoffPolicy}`)
  if (!isDuration(backoffDelay)) found.push(`backoffDelay is ${backoffDelay}`)
  if (!isDuration(timeout)) found.push(`timeout is ${timeout}`)
  if (!deadLetterSink) found.push('has no deadLetterSink: what is given up would be lost')
  return found
}

function isDuration(value: unknown): boolean {
  try {
    return milliseconds(String(value)) > 0
  } catch {
    return false
  }
}

/** Beside its pool a client keeps two connections to each server, to watch it. */
const WATCHING = 2
/** While a revision follows another one both run. */
const REVISIONS = 2

/** The functions, scaled as far as they may, must not ask MongoDB for more connections than it accepts. */
export function poolViolations(objects: Manifest[]): string[] {
  const accepted = connectionsOf(objects)
  const pool = numberOf(ofKind(objects, 'ConfigMap').find(({ data }) => data?.MONGODB_POOL)?.data?.MONGODB_POOL)
  const each = (pool || settings.MONGODB_POOL.parse(undefined)) + WATCHING
  const most = objects.filter(isFunction).reduce((sum, object) => sum + numberOf(annotationsOf(object)['max-scale']), 0)
  const asked = most * each * REVISIONS
  return asked <= accepted ? [] : [`${asked} connections to MongoDB may be asked for, and it accepts ${accepted}`]
}

/** Of our own MongoDB, or what is said of the one outside. */
function connectionsOf(objects: Manifest[]): number {
  const own = objects.find((object) => nameOf(object) === 'StatefulSet mongodb')
  const args: string[] = own?.spec.template.spec.containers[0].args ?? []
  const option = args.find((arg) => arg.startsWith('--maxConns='))
  if (option) return numberOf(option.split('=')[1])
  const said = ofKind(objects, 'ConfigMap').map(
    ({ metadata }) => metadata.annotations?.['millrace/mongodb-connections'],
  )
  return numberOf(said.find((connections) => connections !== undefined))
}
