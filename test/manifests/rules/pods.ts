import { isFunction, type Manifest, nameOf } from '../overlay.ts'

interface Container {
  name: string
  image: string
  env?: {
    name: string
    value?: string
    valueFrom?: { secretKeyRef?: { name: string; key: string; optional?: boolean } }
  }[]
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> }
  securityContext?: SecurityContext
  readinessProbe?: object
  livenessProbe?: object
}

interface SecurityContext {
  runAsNonRoot?: boolean
  runAsUser?: number
  allowPrivilegeEscalation?: boolean
  readOnlyRootFilesystem?: boolean
  capabilities?: { drop?: string[]; add?: string[] }
  seccompProfile?: { type: string }
}

export interface PodSpec {
  containers: Container[]
  initContainers?: Container[]
  serviceAccountName?: string
  enableServiceLinks?: boolean
  securityContext?: SecurityContext
  hostNetwork?: boolean
  hostPID?: boolean
  hostIPC?: boolean
  volumes?: { secret?: { secretName: string; items: { key: string }[] }; [kind: string]: unknown }[]
}

/** What an object says of its pods, if it makes any. */
export const podOf = (object: Manifest): PodSpec | undefined =>
  isFunction(object) || ['Deployment', 'StatefulSet', 'Job'].includes(object.kind)
    ? object.spec.template.spec
    : undefined

export const containersOf = ({ initContainers = [], containers }: PodSpec): Container[] => [
  ...initContainers,
  ...containers,
]

/** What is wrong with the pods of an object, in words. */
export function podViolations(object: Manifest): string[] {
  const pod = podOf(object)
  if (!pod) return []
  const isLasting = object.kind !== 'Job'
  const found = [
    ...wrongPod(pod),
    ...containersOf(pod).flatMap((container) =>
      [...wrongRights(pod, container), ...wrongNeeds(container), ...wrongImage(container)].map(
        (what) => `${container.name} ${what}`,
      ),
    ),
    ...pod.containers
      .filter(({ readinessProbe, livenessProbe }) => isLasting && !(readinessProbe && livenessProbe))
      .map(({ name }) => `${name} is not asked whether it is ready and alive`),
  ]
  return found.map((what) => `${nameOf(object)}: ${what}`)
}

const VOLUMES = ['configMap', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret']

function wrongPod({ enableServiceLinks, serviceAccountName, volumes = [], ...pod }: PodSpec): string[] {
  const found: string[] = []
  if (enableServiceLinks !== false) found.push('takes the names of Services as variables')
  if (!serviceAccountName) found.push('has no ServiceAccount of its own')
  if (pod.hostNetwork || pod.hostPID || pod.hostIPC) found.push("shares what is the node's")
  if (volumes.some((volume) => !VOLUMES.some((kind) => kind in volume))) found.push("mounts what is the node's")
  return found
}

/** Pod Security "restricted", and a root file system that can't be written. */
function wrongRights({ securityContext: all = {} }: PodSpec, { securityContext: own = {} }: Container): string[] {
  const { runAsNonRoot, runAsUser, seccompProfile } = { ...all, ...own }
  const found: string[] = []
  if (!runAsNonRoot || !runAsUser) found.push('may run as root')
  if (own.allowPrivilegeEscalation !== false) found.push('may gain rights')
  if (!own.readOnlyRootFilesystem) found.push('may write its root file system')
  if (!own.capabilities?.drop?.includes('ALL') || own.capabilities.add) found.push('keeps capabilities')
  if (seccompProfile?.type !== 'RuntimeDefault') found.push('may make any system call')
  return found
}

function wrongNeeds({ resources: { requests = {}, limits = {} } = {} }: Container): string[] {
  return ['cpu', 'memory'].flatMap((what) => [
    ...(requests[what] ? [] : [`requests no ${what}`]),
    ...(limits[what] ? [] : [`has no limit of ${what}`]),
  ])
}

function wrongImage({ image }: Container): string[] {
  return /:v?\d[\w.-]*(@sha256:[0-9a-f]{64})?$/.test(image) ? [] : [`has no pinned image: ${image}`]
}
