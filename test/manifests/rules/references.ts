import { isFunction, type Manifest, nameOf, ofKind } from '../overlay.ts'
import { containersOf, podOf } from './pods.ts'

interface Reference {
  apiVersion: string
  kind: string
  name: string
}

/** What an object names must be there: kustomize does not follow every name, and Kubernetes does not ask. */
export function referenceViolations(objects: Manifest[]): string[] {
  return objects.flatMap((object) =>
    [
      ...strangers(object),
      ...unlabelled(object),
      ...sinksOf(object)
        .filter((sink) => !objects.some((other) => isSink(other, sink)))
        .map(({ kind, name }) => `sends to ${kind} ${name}, which is not there`),
      ...configMapsOf(object)
        .filter((name) => !has(objects, 'ConfigMap', name))
        .map((name) => `reads ConfigMap ${name}, which is not there`),
      ...wrongAccount(object, objects),
      ...wrongSelector(object, objects),
    ].map((what) => `${nameOf(object)}: ${what}`),
  )
}

const has = (objects: Manifest[], kind: string, name: string): boolean =>
  ofKind(objects, kind).some(({ metadata }) => metadata.name === name)

const strangers = ({ kind, metadata }: Manifest): string[] =>
  kind === 'Namespace' || metadata.namespace === 'millrace' ? [] : [`is in the namespace ${metadata.namespace}`]

/** By which the parts are applied one after the other. */
const unlabelled = ({ metadata }: Manifest): string[] =>
  metadata.labels?.['app.kubernetes.io/component'] ? [] : ['has no component']

const sinksOf = ({ kind, spec }: Manifest): Reference[] =>
  kind === 'KafkaSource' ? [spec.sink?.ref, spec.delivery?.deadLetterSink?.ref].filter((ref) => ref) : []

const isSink = ({ apiVersion, kind, metadata }: Manifest, sink: Reference): boolean =>
  apiVersion === sink.apiVersion && kind === sink.kind && metadata.name === sink.name

function configMapsOf(object: Manifest): string[] {
  const pod = podOf(object)
  if (!pod) return []
  const variables = containersOf(pod).flatMap(
    (container) => (container as { envFrom?: { configMapRef?: { name: string } }[] }).envFrom ?? [],
  )
  const volumes = (pod.volumes ?? []) as { configMap?: { name: string } }[]
  return [...variables.map(({ configMapRef }) => configMapRef), ...volumes.map(({ configMap }) => configMap)].flatMap(
    (reference) => reference?.name ?? [],
  )
}

function wrongAccount(object: Manifest, objects: Manifest[]): string[] {
  const name = podOf(object)?.serviceAccountName
  if (name === undefined) return []
  const account = ofKind(objects, 'ServiceAccount').find(({ metadata }) => metadata.name === name)
  if (!account) return [`runs as ServiceAccount ${name}, which is not there`]
  return account.automountServiceAccountToken === false ? [] : [`ServiceAccount ${name} brings a token`]
}

/** Labels that Kubernetes and Knative give to pods themselves. */
export const labelsOf = (object: Manifest): Record<string, string>[] => {
  const own = object.spec?.template?.metadata?.labels ?? {}
  if (isFunction(object)) return [{ ...own, 'serving.knative.dev/service': object.metadata.name }]
  if (object.kind !== 'StatefulSet') return [own]
  const names = Array.from({ length: object.spec.replicas }, (_, index) => `${object.metadata.name}-${index}`)
  return names.map((name) => ({ ...own, 'statefulset.kubernetes.io/pod-name': name }))
}

function wrongSelector({ apiVersion, kind, spec }: Manifest, objects: Manifest[]): string[] {
  const selector: Record<string, string> | undefined =
    kind === 'PodDisruptionBudget'
      ? spec.selector.matchLabels
      : apiVersion === 'v1' && kind === 'Service'
        ? spec.selector
        : undefined
  if (!selector) return []
  const pods = objects.filter((object) => podOf(object) && object.kind !== 'Job').flatMap(labelsOf)
  const isMet = pods.some((labels) => Object.entries(selector).every(([name, value]) => labels[name] === value))
  return isMet ? [] : ['selects no pod']
}
