import { findShared, startShared, stopShared } from './shared.ts'
import type { Addresses } from './state.ts'

/** make services, make services-down. */

const say = ({ brokers, mongodbUri }: Addresses) =>
  console.log(`KAFKA_BROKERS=${brokers.join(',')}\nMONGODB_URI=${mongodbUri}`)

async function start(): Promise<void> {
  const running = findShared()
  console.log(running ? 'The servers are already running.' : 'Starting three Kafka brokers and MongoDB ...')
  say(running ?? (await startShared()))
}

function status(): void {
  const running = findShared()
  if (running) say(running)
  else console.log('The servers are not running.')
}

const actions = new Map([
  ['start', start],
  ['stop', stopShared],
  ['status', async () => status()],
])

const action = actions.get(process.argv[2] ?? '')
if (!action) {
  console.error(`node test/services/cli.ts ${[...actions.keys()].join(' | ')}`)
  process.exit(1)
}
try {
  await action()
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
