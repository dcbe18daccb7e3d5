import { healed } from './brokers.ts'
import { applied, publish, read } from './site.ts'
import { untilReady } from './wait.ts'
import { NAMESPACE, type World } from './world.ts'

const COMMANDS = 20

/** Uses a running Millrace as a client does; then, unless FAULTS=no, takes persist and a broker away under load. */
export async function smoke(world: World): Promise<void> {
  await check(world, 'a command is accepted, applied, and read back after its receipt', () => roundTrip(world))
  await check(world, 'the same key is one command', () => sameKey(world))
  if (world.settings.FAULTS === 'no') return
  await check(world, 'persist killed: every command is applied', () =>
    under(world, ['--selector', 'serving.knative.dev/service=persist']),
  )
  await check(world, 'a broker deleted: every command is applied', () => under(world, ['kafka-1']))
  await check(world, 'the broker is back, and every replica in sync', () => mended(world))
}

async function check({ say }: World, what: string, run: () => Promise<void>): Promise<void> {
  const start = Date.now()
  await run()
  say(`  ${what} (${((Date.now() - start) / 1000).toFixed(1)} s)`)
}

async function roundTrip({ settings }: World): Promise<void> {
  const title = `Smoke ${crypto.randomUUID()}`
  const command = await publish(settings, title)
  await applied(settings, command)
  const found = await read(settings, command)
  if (found !== title) throw new Error(`published ${title}, read ${found}`)
}

async function sameKey({ settings }: World): Promise<void> {
  const [title, key] = [`Smoke ${crypto.randomUUID()}`, crypto.randomUUID()]
  const [first, again] = [await publish(settings, title, key), await publish(settings, title, key)]
  if (first.id !== again.id) throw new Error(`one key became two commands: ${first.id} and ${again.id}`)
  await applied(settings, first)
}

/** Half of the commands come before the pods are killed, half after. */
async function under({ settings, kubectl }: World, pods: string[]): Promise<void> {
  const send = () =>
    Promise.all(Array.from({ length: COMMANDS / 2 }, () => publish(settings, `Smoke ${crypto.randomUUID()}`)))
  const before = await send()
  await kubectl(['delete', 'pod', ...pods, '--namespace', NAMESPACE, '--grace-period=1', '--wait=false'])
  const after = await send()
  await Promise.all([...before, ...after].map((command) => applied(settings, command)))
}

async function mended(world: World): Promise<void> {
  const { LIMIT, BROKERS } = world.settings
  await untilReady(world, 'kafka', () =>
    world.list(['statefulsets', '--namespace', NAMESPACE, '--selector', 'app.kubernetes.io/component=kafka']),
  )
  await healed(BROKERS.split(','), LIMIT * 1000)
}
