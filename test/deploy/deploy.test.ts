import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { placeOf, Rehearsal, said, type Told } from './rehearsal.ts'
import { failedJob, healthy, lists, once, service, workload } from './scenario.ts'

// Each call of a tool is a process. Before the hooks: they keep the limit that they find.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

let rehearsal: Rehearsal
let first: Told
beforeAll(async () => {
  rehearsal = await new Rehearsal().open()
  first = await rehearsal.run(['deploy'], healthy)
})
afterAll(() => rehearsal.close())

describe('make deploy', () => {
  test('does every step in order, prepare before persist and persist before publish', () => {
    expect(first.code, first.output).toBe(0)
    const places = [
      'docker version',
      'kind create cluster --name millrace',
      'serving-crds.yaml',
      'serving-core.yaml',
      'kourier.yaml',
      'eventing-core.yaml',
      'eventing-kafka-controller.yaml',
      'eventing-kafka-source.yaml',
      'eventing-kafka-sink.yaml',
      'patch configmap config-network',
      'component in (settings,network)',
      'get secret receipts',
      'component in (kafka,mongodb,keycloak)',
      'docker build',
      'kind load docker-image kind.local/millrace:0123456789ab',
      'delete job prepare',
      'component in (prepare)',
      'component in (settings,persist)',
      'component in (source)',
      'component in (publish,query,gateway)',
      'part-of=millrace',
    ].map((words) => placeOf(first, words))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(first.output).toContain('Millrace is ready at http://localhost:8080')
    expect(first.output.slice(first.output.indexOf('Try:')).match(/^ {2}(curl|kubectl) /gm)).toHaveLength(3)
  })

  test('runs the last build, with a tag of its own', async () => {
    await rehearsal.run(['apply'], healthy)
    const { resources, images } = JSON.parse(readFileSync('.millrace/deploy/kustomization.yaml', 'utf8'))
    expect(resources).toEqual(['../../knative/overlays/kind'])
    expect(images).toContainEqual({
      name: 'kind.local/millrace',
      newName: 'kind.local/millrace',
      newTag: '0123456789ab',
    })
  })

  test('uses its own cluster only, and shows no secret in a command', () => {
    const kubectl = first.calls.filter(({ tool, args }) => tool === 'kubectl' && args[0] !== 'version')
    expect(kubectl.length).toBeGreaterThan(20)
    for (const { args } of kubectl) expect(args.slice(0, 2)).toEqual(['--context', 'kind-millrace'])
    const made = first.calls
      .filter(({ args }) => args.includes('create'))
      .flatMap(({ input }) => (input ? [JSON.parse(input)] : []))
    expect(made.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(['Secret receipts', 'Secret mongodb'])
    const { password, keyfile, uri } = made[1].stringData
    expect(uri).toContain(`millrace:${password}@mongodb-0.mongodb.millrace.svc:27017`)
    expect(keyfile).toMatch(/^[A-Za-z0-9+/=]{6,1024}$/)
    for (const secret of [password, keyfile, made[0].stringData.secret]) {
      expect(said(first).join() + first.output).not.toContain(secret)
    }
  })

  test('a second run makes nothing again', async () => {
    const records = first.calls
      .filter(({ input }) => input.includes('"ConfigMap"'))
      .map(({ input }) => ({ call: `get configmap ${JSON.parse(input).metadata.name}`, says: input }))
    expect(records).toHaveLength(4)
    const told = await rehearsal.run(
      ['deploy'],
      [
        { call: 'kind get clusters', says: 'kind\nmillrace' },
        ...records,
        { call: 'get secret receipts', says: 'secret/receipts' },
        { call: 'get secret mongodb', says: 'secret/mongodb' },
        ...healthy,
      ],
    )
    expect(told.code, told.output).toBe(0)
    const calls = said(told).join('\n')
    expect(calls).not.toContain('kind create')
    expect(calls).not.toContain('kubectl --context kind-millrace create')
    expect(calls).not.toContain('serving-core.yaml')
    expect(calls).not.toContain('eventing-kafka-sink.yaml')
    expect(calls).not.toContain('rollout restart')
    expect(calls).toContain('component in (publish,query,gateway)')
  })

  test('publish is not applied before persist is ready', async () => {
    const notYet = once(lists('get services.serving.knative.dev --namespace millrace', service('persist', 'False')))
    const told = await rehearsal.run(['apply'], [notYet, ...healthy])
    expect(told.code, told.output).toBe(0)
    const asked = said(told).flatMap((call, at) => (call.includes('get services.serving') ? [at] : []))
    expect(asked).toHaveLength(2)
    expect(placeOf(told, 'component in (publish,query,gateway)')).toBeGreaterThan(Math.max(...asked))
    expect(told.output).toContain('Service persist (RevisionMissing)')
  })
})

describe('failures', () => {
  test('all missing tools are listed at once, with where to get them', async () => {
    rehearsal.provide('docker')
    const told = await rehearsal.run(['deploy'], healthy)
    rehearsal.provide('docker', 'kind', 'kubectl')
    expect(told.code).toBe(1)
    expect(told.output).toMatch(/kind is missing: .*kind\.sigs\.k8s\.io\nkubectl is missing: https:/)
    expect(told.calls).toHaveLength(1)
  })

  test('a docker without an engine says why', async () => {
    const told = await rehearsal.run(
      ['tools'],
      [{ call: 'docker version', fails: 'Cannot connect to the Docker daemon' }],
    )
    expect(told.code).toBe(1)
    expect(told.output).toContain('docker does not work: docker version')
    expect(told.output).toContain('Cannot connect to the Docker daemon')
  })

  test('at the time limit it lists the parts that are not ready and why', async () => {
    const pod = {
      kind: 'Pod',
      metadata: { name: 'kafka-2', namespace: 'millrace' },
      status: {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/4 nodes' }],
      },
    }
    const event = {
      involvedObject: { kind: 'Pod', name: 'kafka-2' },
      reason: 'FailedScheduling',
      message: 'Insufficient memory',
    }
    const told = await rehearsal.run(
      ['data', 'image-load'],
      [
        lists('get deployments,statefulsets,jobs', workload('kafka', 2)),
        lists('get pods', pod),
        lists('get events', event),
        ...healthy,
      ],
      { LIMIT: '1' },
    )
    expect(told.code).toBe(1)
    expect(told.output).toContain('Kafka, MongoDB and Keycloak not ready within 1 s: StatefulSet kafka (2 of 3 ready)')
    expect(told.output).toContain('pod millrace/kafka-2: Pending; Unschedulable: 0/4 nodes')
    expect(told.output).toContain('event Pod kafka-2: FailedScheduling: Insufficient memory')
    expect(said(told).join('\n')).not.toContain('docker build')
  })

  test('a failed prepare ends the run at once, with its log', async () => {
    const told = await rehearsal.run(
      ['prepare', 'apply'],
      [
        lists('get jobs', failedJob('prepare')),
        { call: 'logs job/prepare', says: 'topic tutorials-topic has 6 partitions, not 3' },
        ...healthy,
      ],
      { LIMIT: '60' },
    )
    expect(told.code).toBe(1)
    expect(told.output).toContain('prepare failed.')
    expect(told.output).toContain('job prepare: topic tutorials-topic has 6 partitions, not 3')
    expect(said(told).join('\n')).not.toContain('persist')
  })

  test.each([
    ['cluster', 'kind create cluster', 'platform'],
    ['data', 'component in (kafka,mongodb,keycloak)', 'image-load'],
    ['image-load', 'docker build', 'prepare'],
    ['apply', 'component in (settings,persist)', 'wait'],
  ])('nothing follows a failure in %s', async (step, call, next) => {
    const told = await rehearsal.run([step, next], [{ call, fails: 'no such luck' }, ...healthy])
    expect(told.code).toBe(1)
    expect(told.output).toContain('no such luck')
    expect(said(told).at(-1)).toContain(call)
  })

  test('for an unknown step it lists the steps', async () => {
    const told = await rehearsal.run(['deploi'], [])
    expect(told.code).toBe(1)
    expect(told.output).toContain('platform | data | image-load')
  })
})

describe('make flux, make undeploy', () => {
  test('applies Secrets, then Flux, then the given repository', async () => {
    const objects = 'url: https://github.com/example/millrace\n  ref:\n    branch: main'
    const told = await rehearsal.run(['flux'], [{ call: 'kustomize knative/flux', says: objects }, ...healthy], {
      REPO: 'https://example.org/mill',
      BRANCH: 'next',
    })
    expect(told.code, told.output).toBe(0)
    expect(placeOf(told, 'get secret mongodb')).toBeLessThan(placeOf(told, 'install.yaml'))
    expect(told.calls.findLast(({ input }) => input.includes('url:'))?.input).toBe(
      'url: https://example.org/mill\n  ref:\n    branch: next\n',
    )
  })

  test('undeploy deletes its own cluster', async () => {
    expect(said(await rehearsal.run(['undeploy'], []))).toEqual(['kind delete cluster --name millrace'])
  })
})
