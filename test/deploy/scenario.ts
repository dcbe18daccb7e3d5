import type { Rule } from './rehearsal.ts'

const NAMESPACE = 'millrace'
const condition = (type: string, status = 'True', more = {}) => ({
  status: { conditions: [{ type, status, ...more }] },
})

export const job = (name: string, more: object = condition('Complete')) => ({
  kind: 'Job',
  metadata: { name, namespace: NAMESPACE },
  ...more,
})

export const failedJob = (name: string) =>
  job(name, condition('Failed', 'True', { reason: 'BackoffLimitExceeded', message: 'Job has reached the limit' }))

export const service = (name: string, status = 'True') => ({
  kind: 'Service',
  metadata: { name, namespace: NAMESPACE },
  ...condition('Ready', status, status === 'True' ? {} : { reason: 'RevisionMissing' }),
})

export const workload = (name: string, ready: number, wanted = 3, kind = 'StatefulSet') => ({
  kind,
  metadata: { name, namespace: NAMESPACE, generation: 1 },
  spec: { replicas: wanted },
  status: { observedGeneration: 1, readyReplicas: ready, updatedReplicas: wanted },
})

const list = (...items: object[]) => ({ items })

/** A cluster where everything becomes ready at once. */
export const healthy: Rule[] = [
  { call: 'docker image inspect', says: 'sha256:0123456789abcdef' },
  {
    call: 'kubectl --context kind-millrace get deployments --namespace',
    says: list(workload('controller', 1, 1, 'Deployment')),
  },
  { call: 'get deployments,statefulsets,jobs', says: list(workload('kafka', 3), workload('mongodb', 3)) },
  { call: 'get jobs', says: list(job('prepare')) },
  { call: 'get services.serving.knative.dev', says: list(service('persist')) },
  { call: 'get kafkasources', says: list(service('tutorials')) },
  { call: 'get gitrepositories', says: list(service('millrace')) },
  { call: 'get statefulsets', says: list(workload('kafka', 3)) },
  { call: 'get pods', says: list() },
  { call: 'get events', says: list() },
]

export const lists = (call: string, ...items: object[]): Rule => ({ call, says: list(...items) })
export const once = (rule: Rule): Rule => ({ ...rule, once: true })
