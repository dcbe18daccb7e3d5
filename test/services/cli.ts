import { composeDown, composeUp } from './docker.ts'
import { missing } from './install.ts'
import { runningServices, type State, startServices, stopServices } from './services.ts'

/** make services, make services-down: through compose.yaml where Docker can pull its images, else natively. */
const DIR = '.millrace/services'
const HINT = 'They need a Docker engine that can pull images, or Java 17 with Maven and a mongod or Python 3.'

const say = ({ brokers, mongodbUri }: Pick<State, 'brokers' | 'mongodbUri'>) =>
  console.log(`KAFKA_BROKERS=${brokers.join(',')}\nMONGODB_URI=${mongodbUri}`)

async function start(): Promise<void> {
  const running = runningServices(DIR)
  if (running) {
    console.log('They run already.')
    return say(running)
  }
  if (composeUp()) {
    const brokers = ['127.0.0.1:19092', '127.0.0.1:19093', '127.0.0.1:19094']
    return say({ brokers, mongodbUri: 'mongodb://127.0.0.1:27117/?directConnection=true' })
  }
  const lacks = missing()
  if (lacks) {
    console.error(`The services can not be started: ${lacks}. ${HINT}`)
    process.exit(1)
  }
  const { MONGODB_URI } = process.env
  const { brokers, mongodbUri } = await startServices({ dir: DIR, mongodb: !MONGODB_URI })
  say({ brokers, mongodbUri: MONGODB_URI ?? mongodbUri })
}

switch (process.argv[2]) {
  case 'start':
    await start()
    break
  case 'stop':
    if (runningServices(DIR)) stopServices(DIR)
    else composeDown()
    break
  default:
    console.error('cli.ts start | stop')
    process.exit(1)
}
process.exit(0)
