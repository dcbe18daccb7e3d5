/** The fields of a Kubernetes object that deploy reads. */
export interface KubeObject {
  kind: string
  metadata: { name: string; namespace?: string; generation?: number }
  spec?: { replicas?: number; completions?: number }
  status?: {
    observedGeneration?: number
    replicas?: number
    readyReplicas?: number
    updatedReplicas?: number
    succeeded?: number
    phase?: string
    conditions?: Condition[]
    initContainerStatuses?: ContainerStatus[]
    containerStatuses?: ContainerStatus[]
  }
}

export interface Condition {
  type: string
  status: string
  reason?: string
  message?: string
}

interface ContainerStatus {
  name: string
  ready: boolean
  restartCount: number
  state?: { waiting?: State; terminated?: State }
  lastState?: { terminated?: State }
}

interface State {
  reason?: string
  message?: string
  exitCode?: number
}

/** Why an object is not ready; undefined for a ready one. */
export function notReadyReason({ kind, metadata, spec = {}, status = {} }: KubeObject): string | undefined {
  if ((status.observedGeneration ?? metadata.generation ?? 0) < (metadata.generation ?? 0)) return 'not observed yet'
  switch (kind) {
    case 'Deployment':
    case 'StatefulSet': {
      const wanted = spec.replicas ?? 1
      const { readyReplicas = 0, updatedReplicas = 0 } = status
      if (updatedReplicas < wanted) return `${updatedReplicas} of ${wanted} updated`
      return readyReplicas < wanted ? `${readyReplicas} of ${wanted} ready` : undefined
    }
    case 'Job':
      return notReadyCondition(status.conditions, 'Complete')
    case 'CustomResourceDefinition':
      return notReadyCondition(status.conditions, 'Established')
    default:
      return notReadyCondition(status.conditions, 'Ready')
  }
}

function notReadyCondition(conditions: Condition[] = [], type: string): string | undefined {
  const condition = conditions.find((condition) => condition.type === type)
  if (condition?.status === 'True') return undefined
  return describeCondition(
    conditions.find((condition) => condition.type === 'Failed' && condition.status === 'True') ?? condition,
  )
}

const describeCondition = (told: { reason?: string; message?: string } = {}): string =>
  [told.reason, told.message].filter(Boolean).join(': ') || 'not yet'

/** True when the object can't become ready any more. */
export const hasFailed = ({ kind, status }: KubeObject): boolean =>
  kind === 'Job' && (status?.conditions ?? []).some(({ type, status }) => type === 'Failed' && status === 'True')

/** Why a pod is not ready; undefined for one that is ready or has succeeded. */
export function podProblem({ status = {} }: KubeObject): string | undefined {
  const { phase, conditions = [], initContainerStatuses = [], containerStatuses = [] } = status
  if (phase === 'Succeeded' || conditions.some(({ type, status }) => type === 'Ready' && status === 'True'))
    return undefined
  const containers = [...initContainerStatuses, ...containerStatuses].flatMap(
    ({ name, restartCount, state, lastState }) => {
      const now = state?.waiting ?? (state?.terminated?.exitCode ? state.terminated : undefined)
      const before = lastState?.terminated
      if (!now && !before) return []
      const last = before ? `, ended before with ${before.exitCode} (${before.reason ?? 'no reason'})` : ''
      return [`container ${name}: ${now ? describeCondition(now) : `restarted ${restartCount} times`}${last}`]
    },
  )
  const refused = conditions.filter(({ status, reason }) => status === 'False' && reason === 'Unschedulable')
  return [phase ?? 'Unknown', ...refused.map(describeCondition), ...containers].join('; ')
}
