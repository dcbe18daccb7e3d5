import { expect, test } from 'vitest'
import { hasFailed, type KubeObject, notReadyReason, podProblem } from './readiness.ts'

const object = (kind: string, status: object, spec = {}, generation = 2): KubeObject => ({
  kind,
  metadata: { name: 'it', generation },
  spec,
  status: { observedGeneration: 2, ...status },
})
const condition = (type: string, status: string, more = {}) => ({ conditions: [{ type, status, ...more }] })

test.each<[what: string, object: KubeObject, lack: string | undefined]>([
  ['all replicas', object('StatefulSet', { readyReplicas: 3, updatedReplicas: 3 }, { replicas: 3 }), undefined],
  ['a replica less', object('StatefulSet', { readyReplicas: 2, updatedReplicas: 3 }, { replicas: 3 }), '2 of 3 ready'],
  [
    'replicas of before',
    object('Deployment', { readyReplicas: 3, updatedReplicas: 1 }, { replicas: 3 }),
    '1 of 3 updated',
  ],
  ['scaled to none', object('Deployment', {}, { replicas: 0 }), undefined],
  [
    'a change that is not observed',
    object('Deployment', { readyReplicas: 1, updatedReplicas: 1 }, {}, 3),
    'not observed yet',
  ],
  ['nobody looked at all', { kind: 'KafkaSource', metadata: { name: 'it', generation: 1 } }, 'not yet'],
  ['a Job at work', object('Job', {}), 'not yet'],
  ['a Job done', object('Job', condition('Complete', 'True')), undefined],
  ['a Job that failed', object('Job', condition('Failed', 'True', { reason: 'DeadlineExceeded' })), 'DeadlineExceeded'],
  ['Ready', object('Service', condition('Ready', 'True')), undefined],
  [
    'not Ready',
    object('KafkaSource', condition('Ready', 'False', { reason: 'Topic', message: 'gone' })),
    'Topic: gone',
  ],
  ['unknown', object('KafkaSink', condition('Ready', 'Unknown')), 'not yet'],
])('%s', (_, object, lack) => {
  expect(notReadyReason(object)).toBe(lack)
})

test('only a failed Job can not become ready', () => {
  expect(hasFailed(object('Job', condition('Failed', 'True')))).toBe(true)
  expect(hasFailed(object('Job', condition('Failed', 'False')))).toBe(false)
  expect(hasFailed(object('Service', condition('Ready', 'False')))).toBe(false)
})

test('a pod has the reason why it is not ready', () => {
  const container = { name: 'persist', ready: false, restartCount: 4 }
  const crashed = { terminated: { exitCode: 1, reason: 'Error' } }
  const waiting = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } }
  const pod = (status: object) => podProblem(object('Pod', status))
  expect(pod({ phase: 'Running', ...condition('Ready', 'True') })).toBeUndefined()
  expect(pod({ phase: 'Succeeded', ...condition('Ready', 'False') })).toBeUndefined()
  expect(pod({ phase: 'Running', containerStatuses: [{ ...container, state: waiting, lastState: crashed }] })).toBe(
    'Running; container persist: CrashLoopBackOff: back-off 40s, ended before with 1 (Error)',
  )
  expect(pod({ phase: 'Running', containerStatuses: [{ ...container, lastState: crashed }] })).toBe(
    'Running; container persist: restarted 4 times, ended before with 1 (Error)',
  )
  expect(
    pod({
      phase: 'Pending',
      initContainerStatuses: [{ ...container, state: { waiting: { reason: 'ImagePullBackOff' } } }],
    }),
  ).toBe('Pending; container persist: ImagePullBackOff')
})
