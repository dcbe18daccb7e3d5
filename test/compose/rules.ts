import { readConfig } from '#main/config.ts'
import { settings } from '#main/settings.ts'
import { targetOf } from '../manifests/truth.ts'
import type { Model, Service } from './model.ts'

/** Where clients find it: the whole site, gRPC, and the ports of the systems that it replaces. */
const PUBLISHED = {
  gateway: ['8080', '9081'],
  publish: ['8081'],
  query: ['6868'],
  'publish-grpc': ['50051', '9091', '9093'],
}
/** The functions share one, which no file has in it. */
export const SECRET = { RECEIPT_SECRET: 'a secret that only tests know of' }

/** The signing secret, and the other ones that are accepted during a rotation. */
const SIGNING = ['RECEIPT_SECRET', 'OTHER_SECRETS']
/** The services that sign receipts and seals, or verify them. */
const SIGNS = ['publish', 'publish-grpc', 'persist', 'query']

type Named = [name: string, service: Service]

/** Those that run our image. */
export const ours = ({ services }: Model): Named[] =>
  Object.entries(services).filter(([, { environment }]) => environment?.FUNCTION_TARGET !== undefined)

/** Its environment as the process gets it. */
export const envOf = ({ environment = {} }: Service): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === null ? [] : [[name, `${value}`]])),
  )

const isOneShot = ({ restart }: Service): boolean => restart === 'no'
const isWatched = ({ healthcheck }: Service): boolean => !!healthcheck?.test && !healthcheck.disable

/** All that is started before it. */
export function forerunners({ services }: Model, name: string): Set<string> {
  const found = new Set<string>()
  const visit = (at: string) => {
    for (const next of Object.keys(services[at]?.depends_on ?? {})) {
      if (!found.has(next)) visit(next)
      found.add(next)
    }
  }
  visit(name)
  return found
}

/** What is wrong with the model, in words. */
export function violations(model: Model): string[] {
  const each = Object.entries(model.services).flatMap(([name, service]) =>
    [...wrongImage(model, service), ...wrongHealth(service), ...wrongWaits(model, service)].map(
      (what) => `${name} ${what}`,
    ),
  )
  const functions = ours(model).flatMap(([name, service]) =>
    [...wrongSettings(name, service), ...wrongHosts(model, name, service), ...wrongRights(service)].map(
      (what) => `${name} ${what}`,
    ),
  )
  return [...each, ...functions, ...wrongPorts(model), ...wrongOrder(model)]
}

/** Ours has one service that builds it: two at once can't give it the same name. */
function wrongImage({ services }: Model, { image = '', build }: Service): string[] {
  const builders = Object.values(services).filter((service) => service.build && service.image === image)
  if (build && builders.length > 1) return [`builds ${image}, as another does`]
  return builders.length > 0 || /^[\w./-]+:v?\d[\w.-]+(@sha256:[0-9a-f]{64})?$/.test(image)
    ? []
    : [`has no pinned image: ${image}`]
}

function wrongHealth(service: Service): string[] {
  return isOneShot(service) || isWatched(service) ? [] : ['has no health check']
}

function wrongWaits({ services }: Model, { depends_on = {} }: Service): string[] {
  return Object.entries(depends_on).flatMap(([name, { condition }]) => {
    const target = services[name]
    const right = target && isOneShot(target) ? 'service_completed_successfully' : 'service_healthy'
    return target && condition === right ? [] : [`waits for ${name} by ${condition}, not by ${right}`]
  })
}

function wrongSettings(name: string, service: Service): string[] {
  const env = envOf(service)
  const unknown = Object.keys(service.environment ?? {}).filter((setting) => !(setting in settings))
  const wrong = unknown.map((setting) => `sets ${setting}, which is no setting`)
  if (env.FUNCTION_TARGET !== targetOf(name)) wrong.push(`runs ${env.FUNCTION_TARGET}`)
  if (SIGNING.some((setting) => setting in env)) wrong.push('has a secret in clear')
  const lacks = SIGNING.filter((setting) => SIGNS.includes(name) && !(setting in (service.environment ?? {})))
  wrong.push(...lacks.map((setting) => `is not given ${setting}`))
  try {
    const { PORT, METRICS_PORT, FUNCTION_TARGET } = readConfig(env)
    const port = FUNCTION_TARGET === 'grpc' ? METRICS_PORT : PORT
    const asks = service.healthcheck?.test?.some((part) => part.includes(`:${port}/health/ready`))
    if (!isOneShot(service) && !asks) wrong.push(`is not asked for its health at port ${port}`)
  } catch (error) {
    wrong.push((error as Error).message)
  }
  return wrong
}

/** Every address is a service's own, and is waited for. */
function wrongHosts(model: Model, name: string, service: Service): string[] {
  const before = forerunners(model, name)
  const { KAFKA_BROKERS: brokers = '', MONGODB_URI: store = '', PERSIST_URL: persist = '' } = envOf(service)
  const urls = [...brokers.split(',').map((broker) => `kafka://${broker}`), store, ...(persist ? [persist] : [])]
  return urls.flatMap((url) => {
    const { hostname: host, port } = new URL(url)
    const target = model.services[host]
    if (!target || !before.has(host)) return [`does not wait for ${host}`]
    return portsOf(target).includes(port) ? [] : [`calls ${host} at another port: ${url}`]
  })
}

/** The ports that a service listens on inside. */
function portsOf(service: Service): string[] {
  const env = envOf(service)
  if (env.FUNCTION_TARGET) return [`${readConfig(env).PORT}`]
  const inside = /\bINSIDE:\/\/[\w-]+:(\d+)/.exec(env.KAFKA_ADVERTISED_LISTENERS ?? '')?.[1]
  return inside ? [inside] : (service.ports ?? []).map(({ target }) => `${target}`)
}

function wrongRights({ read_only, cap_drop = [] }: Service): string[] {
  return read_only && cap_drop.includes('ALL') ? [] : ['may write its files or keeps capabilities']
}

function wrongPorts({ services }: Model): string[] {
  const open = Object.entries(services).filter(([, { ports = [] }]) =>
    ports.some(({ host_ip }) => host_ip !== '127.0.0.1'),
  )
  const missing = Object.entries(PUBLISHED)
    .flatMap(([name, ports]) => ports.map((port) => [name, port] as const))
    .filter(
      ([name, port]) =>
        !services[name]?.ports?.some(
          ({ published, target }) => published === port && target === settings.PORT.parse(undefined),
        ),
    )
  return [
    ...open.map(([name]) => `${name} is open to other machines`),
    ...missing.map(([name, port]) => `${name} is not published at ${port}`),
  ]
}

/** An old persist may not know what a new publish sends. */
const wrongOrder = (model: Model): string[] =>
  forerunners(model, 'publish').has('persist') ? [] : ['publish does not wait for persist']
