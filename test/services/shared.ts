import { composeDown, composeRuns, composeUp, hasDocker } from './docker.ts'
import { kafkaLacks, mongodbLacks } from './install.ts'
import { brokersAt } from './kafka.ts'
import { mongodbUriAt } from './mongodb.ts'
import { KAFKA_PORT, MONGODB_PORT, startServices } from './services.ts'
import { type Addresses, runningServices, stopServices } from './state.ts'

/** The one set of servers that everybody on this machine shares: `make services`. */
const DIR = '.millrace/services'

const composed: Addresses = { brokers: brokersAt(KAFKA_PORT), mongodbUri: mongodbUriAt(MONGODB_PORT) }

export const HINT =
  'The real servers need Java 17 with Maven and a mongod or Python 3, or a Docker engine that can pull images.'

/** Servers that were given by their addresses, wherever they run. */
function given(): Partial<Addresses> {
  const { KAFKA_BROKERS, MONGODB_URI } = process.env
  return {
    ...(KAFKA_BROKERS ? { brokers: KAFKA_BROKERS.split(',') } : {}),
    ...(MONGODB_URI ? { mongodbUri: MONGODB_URI } : {}),
  }
}

/** What this machine lacks to run natively those that weren't given; nothing when it can. */
function lacks(): string | undefined {
  const { brokers, mongodbUri } = given()
  const found = [brokers ? undefined : kafkaLacks(), mongodbUri ? undefined : mongodbLacks()]
  return found.filter((lack) => lack !== undefined).join(', ') || undefined
}

export function findShared(): Addresses | undefined {
  const { brokers, mongodbUri } = given()
  if (brokers && mongodbUri) return { brokers, mongodbUri }
  const found = runningServices(DIR) ?? (composeRuns() ? composed : undefined)
  return found && { brokers: brokers ?? found.brokers, mongodbUri: mongodbUri ?? found.mongodbUri }
}

/** Through compose.yaml where Docker can have its images, else natively. */
export async function startShared(): Promise<Addresses> {
  if (hasDocker() && composeUp()) return { ...composed, ...given() }
  const reason = lacks()
  if (reason) throw new Error(`There is ${reason}. ${HINT}`)
  return { ...(await startServices({ ...asked(), dir: DIR, lasting: true })), ...given() }
}

/** Stops exactly what was started. */
export async function stopShared(): Promise<void> {
  await stopServices(DIR)
  if (composeRuns()) composeDown()
}

export interface Lease extends Addresses {
  stop(): Promise<void>
}

/** The servers of a test run: those that run already, else a set for the time of the run; nothing where none can be had. */
export async function lease(): Promise<Lease | undefined> {
  const found = findShared()
  if (found) return { ...found, stop: async () => undefined }
  if (!lacks()) {
    const own = await startServices({
      ...asked(),
      dir: '.millrace/test-services',
      kafkaPort: 19392,
      mongodbPort: 27417,
    })
    return { brokers: own.brokers, mongodbUri: own.mongodbUri, ...given(), stop: own.stop }
  }
  if (hasDocker() && composeUp()) return { ...composed, ...given(), stop: stopShared }
}

const asked = () => ({ kafka: !given().brokers, mongodb: !given().mongodbUri })
