import { untilInSync } from './broker-sync.ts'
import { publishTutorial, readTitle, untilApplied } from './smoke-commands.ts'
import { NAMESPACE, type TargetCluster } from './target-cluster.ts'
import { untilReady } from './wait-until-ready.ts'

const COMMANDS = 20

/** Uses a running Millrace as a client does. Unless FAULTS=no, it then kills persist and a broker under load. */
export async function smoke(target: TargetCluster): Promise<void> {
  await check(target, 'a command is accepted, applied, and read back after its receipt', () => roundTrip(target))
  await check(target, 'the same key is one command', () => sameKey(target))
  if (target.settings.FAULTS === 'no') return
  await check(target, 'persist killed: every command is applied', () =>
    deletePodsUnderLoad(target, ['--selector', 'serving.knative.dev/service=persist']),
  )
  await check(target, 'a broker deleted: every command is applied', () => deletePodsUnderLoad(target, ['kafka-1']))
  await check(target, 'the broker is back, and every replica is in sync', () => untilKafkaInSync(target))
}

async function check({ print }: TargetCluster, what: string, run: () => Promise<void>): Promise<void> {
  const start = Date.now()
  await run()
  print(`  ${what} (${((Date.now() - start) / 1000).toFixed(1)} s)`)
}

async function roundTrip({ settings }: TargetCluster): Promise<void> {
  const title = `Smoke ${crypto.randomUUID()}`
  const command = await publishTutorial(settings, title)
  await untilApplied(settings, command)
  const found = await readTitle(settings, command)
  if (found !== title) throw new Error(`published ${title}, read ${found}`)
}

async function sameKey({ settings }: TargetCluster): Promise<void> {
  const [title, key] = [`Smoke ${crypto.randomUUID()}`, crypto.randomUUID()]
  const [first, again] = [await publishTutorial(settings, title, key), await publishTutorial(settings, title, key)]
  if (first.id !== again.id) throw new Error(`one key became two commands: ${first.id} and ${again.id}`)
  await untilApplied(settings, first)
}

/** Sends half of the commands before it deletes the pods, and half after. */
async function deletePodsUnderLoad({ settings, kubectl }: TargetCluster, pods: string[]): Promise<void> {
  const send = () =>
    Promise.all(Array.from({ length: COMMANDS / 2 }, () => publishTutorial(settings, `Smoke ${crypto.randomUUID()}`)))
  const before = await send()
  await kubectl(['delete', 'pod', ...pods, '--namespace', NAMESPACE, '--grace-period=1', '--wait=false'])
  const after = await send()
  await Promise.all([...before, ...after].map((command) => untilApplied(settings, command)))
}

async function untilKafkaInSync(target: TargetCluster): Promise<void> {
  const { LIMIT, BROKERS } = target.settings
  await untilReady(target, 'kafka', () =>
    target.list(['statefulsets', '--namespace', NAMESPACE, '--selector', 'app.kubernetes.io/component=kafka']),
  )
  await untilInSync(BROKERS.split(','), LIMIT * 1000)
}
