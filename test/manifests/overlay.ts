import { answerOf } from './tools.ts'

/** A Kubernetes object, as far as the rules look at it; schemas check its form. */
export interface Manifest {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  // biome-ignore lint/suspicious/noExplicitAny: what is in it depends on the kind, and schemas check that.
  spec?: any
  data?: Record<string, string>
  automountServiceAccountToken?: boolean
}

export const OVERLAYS = ['kind', 'kind-network', 'production'] as const

export const built = (folder: string): string => answerOf('kustomize', ['build', folder])

/** Every object of a YAML stream; aliases are followed. */
export function parsed<Parsed = Manifest>(yaml: string): Parsed[] {
  const lines = answerOf('yq', ['--output-format=json', '--indent=0', 'explode(.)', '-'], yaml)
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

export const overlay = (name: (typeof OVERLAYS)[number]): Manifest[] => parsed(built(`knative/overlays/${name}`))

/** `Service persist`; a Knative Service is told from one of Kubernetes' own by its group. */
export const nameOf = ({ apiVersion, kind, metadata }: Manifest): string =>
  `${groupOf(apiVersion)}${kind} ${metadata.name}`

const groupOf = (apiVersion: string): string => (apiVersion.startsWith('serving.') ? 'Knative ' : '')

export const isFunction = (object: Manifest): boolean => nameOf(object).startsWith('Knative Service ')

export const ofKind = (objects: Manifest[], kind: string): Manifest[] =>
  objects.filter((object) => object.kind === kind && !isFunction(object))
