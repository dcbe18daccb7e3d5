import { z } from 'zod'
import { misspeltSettings } from './misspelt-settings.ts'
import { settings } from './settings.ts'

const schema = z
  .object(settings)
  .refine(({ KAFKA_USERNAME: name, KAFKA_PASSWORD: password }) => (name === undefined) === (password === undefined), {
    path: ['KAFKA_PASSWORD'],
    message: 'KAFKA_USERNAME and KAFKA_PASSWORD must be set together',
  })
  .refine(({ OIDC_ISSUER, OIDC_URL }) => OIDC_ISSUER !== undefined || OIDC_URL === undefined, {
    path: ['OIDC_URL'],
    message: 'has no effect without OIDC_ISSUER',
  })
  .refine(({ KAFKA_TLS, KAFKA_CA_FILE }) => KAFKA_TLS === 'on' || KAFKA_CA_FILE === undefined, {
    path: ['KAFKA_CA_FILE'],
    message: 'has no effect without KAFKA_TLS=on',
  })

export type Config = z.infer<typeof schema>

/** The settings whose values an error message must not show. */
const SECRET = new Set(['KAFKA_PASSWORD', 'MONGODB_URI', 'RECEIPT_SECRET', 'OTHER_SECRETS'])

/** Throws an error that names every wrong variable. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const wrong = result.error.issues.map(({ path, message }) => {
    const name = String(path[0])
    return `${path.join('.')}${SECRET.has(name) ? '' : `=${given[name]}`}: ${message}`
  })
  throw new Error(`Wrong configuration:\n  ${wrong.join('\n  ')}`)
}

let parsed: Config | undefined

/** The configuration of this process, parsed once. A wrong configuration ends the process with one message and no stack. */
export const config = (): Config => (parsed ??= readOrEnd())

function readOrEnd(): Config {
  try {
    return readConfig(process.env)
  } catch (error) {
    console.error((error as Error).message)
    process.exit(1)
  }
}

/** A warning for each variable of the environment that nearly is a setting. */
export const misspelt = (): string[] => misspeltSettings(process.env)
