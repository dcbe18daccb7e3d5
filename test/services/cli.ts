import { missing } from './install.ts'
import { runningServices, type State, startServices, stopServices } from './services.ts'

/** make services, make services-down */
export const DIR = '.millrace/services'

const say = ({ brokers, mongodbUri }: Pick<State, 'brokers' | 'mongodbUri'>) =>
  console.log(`KAFKA_BROKERS=${brokers.join(',')}\nMONGODB_URI=${mongodbUri}`)

switch (process.argv[2]) {
  case 'start': {
    const running = runningServices(DIR)
    if (running) {
      console.log('They run already.')
      say(running)
      break
    }
    const lacks = missing()
    if (lacks) {
      console.error(`The services need Java 17 with Maven, and a mongod or Python 3: ${lacks}.`)
      process.exit(1)
    }
    say(await startServices({ dir: DIR }))
    break
  }
  case 'stop':
    stopServices(DIR)
    break
  default:
    console.log(runningServices(DIR) ? 'running' : 'stopped')
}
process.exit(0)
