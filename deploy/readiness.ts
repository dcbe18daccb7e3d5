/** What deploy reads of an object in the cluster. */
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

/** What an object lacks to be ready, in words; nothing when it is. */
export function lackOf({ kind, metadata, spec = {}, status = {} }: KubeObject): string | undefined {
  if ((status.observedGeneration ?? metadata.generation ?? 0) < (metadata.generation ?? 0)) return 'not looked at yet'
  switch (kind) {
    case 'Deployment':
    case 'StatefulSet': {
      const wanted = spec.replicas ?? 1
      const { readyReplicas = 0, updatedReplicas = 0 } = status
      if (updatedReplicas < wanted) return `${updatedReplicas} of ${wanted} updated`
      return readyReplicas < wanted ? `${readyReplicas} of ${wanted} ready` : undefined
    }
    case 'Job':
      return lackOfCondition(status.conditions, 'Complete')
    case 'CustomResourceDefinition':
      return lackOfCondition(status.conditions, 'Established')
    default:
      return lackOfCondition(status.conditions, 'Ready')
  }
}

function lackOfCondition(conditions: Condition[] = [], type: string): string | undefined {
  const condition = conditions.find((condition) => condition.type === type)
  if (condition?.status === 'True') return undefined
  return wordsOf(
    conditions.find((condition) => condition.type === 'Failed' && condition.status === 'True') ?? condition,
  )
}

const wordsOf = (told: { reason?: string; message?: string } = {}): string =>
  [told.reason, told.message].filter(Boolean).join(': ') || 'not yet'

/** Waiting longer would not help. */
export const isLost = ({ kind, status }: KubeObject): boolean =>
  kind === 'Job' && (status?.conditions ?? []).some(({ type, status }) => type === 'Failed' && status === 'True')

/** Why a pod is not ready, in words; nothing for one that is, or that has done its work. */
export function troubleOf({ status = {} }: KubeObject): string | undefined {
  const { phase, conditions = [], initContainerStatuses = [], containerStatuses = [] } = status
  if (phase === 'Succeeded' || conditions.some(({ type, status }) => type === 'Ready' && status === 'True'))
    return undefined
  const containers = [...initContainerStatuses, ...containerStatuses].flatMap(
    ({ name, restartCount, state, lastState }) => {
      const now = state?.waiting ?? (state?.terminated?.exitCode ? state.terminated : undefined)
      const before = lastState?.terminated
      if (!now && !before) return []
      const last = before ? `, ended before with ${before.exitCode} (${before.reason ?? 'no reason'})` : ''
      return [`container ${name}: ${now ? wordsOf(now) : `restarted ${restartCount} times`}${last}`]
    },
  )
  const refused = conditions.filter(({ status, reason }) => status === 'False' && reason === 'Unschedulable')
  return [phase ?? 'Unknown', ...refused.map(wordsOf), ...containers].join('; ')
}
