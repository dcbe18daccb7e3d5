import { hostname } from 'node:os'
import { z } from 'zod'

/** Signatures that are checked with a public key. */
const ASYMMETRIC = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA'] as const),
]

/** Every setting. A test checks the table in README.md against it. */
const schema = z
  .object({
    PORT: z.coerce.number().int().min(0).max(65535).default(8080).describe('port of the host'),
    GRPC_PORT: z.coerce.number().int().min(0).max(65535).default(50_051).describe('port of gRPC in make dev'),
    METRICS_PORT: z.coerce
      .number()
      .int()
      .min(0)
      .max(65535)
      .default(8081)
      .describe('port of metrics and probes where PORT speaks gRPC only'),
    HOST: z
      .string()
      .optional()
      .describe("address that is listened on: every one, and only this machine's own in `make dev`"),
    ALLOWED_HOSTS: z
      .string()
      .default('')
      .transform((list) => list.split(',').flatMap((name) => name.trim() || []))
      .pipe(
        z.array(z.string().regex(/^(\[[\da-fA-F:.]+\]|[\w.-]+)$/, 'must be names without ports, separated by commas')),
      )
      .describe('names by which requests may ask for `make dev`, beside localhost and HOST'),
    LOG: z.enum(['embedded', 'kafka']).default('embedded').describe('the log adapter'),
    STORE: z.enum(['embedded', 'mongodb']).default('embedded').describe('the store adapter'),
    MILLRACE_DIR: z.string().min(1).default('.millrace').describe('where the embedded pair keeps its file'),
    KAFKA_BROKERS: z
      .string()
      .default('127.0.0.1:19092,127.0.0.1:19093,127.0.0.1:19094')
      .transform((list) => list.split(',').map((broker) => broker.trim()))
      .pipe(z.array(z.string().regex(/^[^\s:]+:\d+$/, 'must be host:port, separated by commas')).min(1))
      .describe('bootstrap servers, host:port separated by commas'),
    KAFKA_REPLICATION: z.coerce.number().int().min(1).default(3).describe('replication factor of topics that are made'),
    KAFKA_TLS: z.enum(['off', 'on']).default('off').describe('whether the brokers are spoken to over TLS'),
    KAFKA_CA_FILE: z
      .string()
      .min(1)
      .optional()
      .describe('PEM file of the authority that signed the certificates of the brokers'),
    KAFKA_USERNAME: z.string().min(1).optional().describe('user name at the brokers'),
    KAFKA_PASSWORD: z.string().min(1).optional().describe('password at the brokers'),
    KAFKA_SASL: z
      .string()
      .default('plain')
      .transform((mechanism) => mechanism.toLowerCase())
      .pipe(z.enum(['plain', 'scram-sha-256', 'scram-sha-512']))
      .describe('how the password is proved, in any case of letters'),
    MONGODB_URI: z
      .string()
      .regex(/^mongodb(\+srv)?:\/\//, 'must begin with mongodb:// or mongodb+srv://')
      .default('mongodb://127.0.0.1:27117/?directConnection=true')
      .describe('connection string'),
    MONGODB_DATABASE: z.string().min(1).default('millrace').describe('database name'),
    MONGODB_POOL: z.coerce.number().int().min(1).default(20).describe('connections to each MongoDB server at most'),
    RECEIPT_SECRET: z
      .string()
      .min(32)
      .regex(/^[^,]*$/, 'must have no comma, which separates OTHER_SECRETS')
      .optional()
      .describe('signs receipts and seals records; the same for publish, persist and query'),
    OTHER_SECRETS: z
      .string()
      .default('')
      .transform((list) => list.split(',').flatMap((secret) => secret.trim() || []))
      .pipe(z.array(z.string().min(32)))
      .describe('secrets whose receipts and seals are accepted too, separated by commas: the next one, and old ones'),
    UNSEALED: z
      .enum(['plain', 'trust'])
      .default('plain')
      .describe(
        'what persist makes of a record without a seal: a plain command of nobody in particular, or, while an upgrade drains the log, what it says',
      ),
    OIDC_ISSUER: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('name of the issuer whose tokens are taken; without it all callers are anonymous'),
    OIDC_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('where the issuer is reached, if not at its name'),
    OIDC_AUDIENCE: z.string().min(1).default('millrace').describe('whom a token must be made for'),
    OIDC_ALGORITHMS: z
      .string()
      .default('RS256,ES256,PS256,EdDSA')
      .transform((list) => list.split(',').map((name) => name.trim()))
      .pipe(z.array(z.enum(ASYMMETRIC)).min(1))
      .describe('how a token may be signed; never with a shared secret'),
    ANONYMOUS_SCOPES: z
      .string()
      .default('tutorials:read tutorials:write sums:read sums:write forum:read')
      .transform((list) => list.split(' ').filter((scope) => scope !== '' && scope !== 'none'))
      .describe('what callers without a token may, separated by blanks; none: nothing'),
    MAX_BODY_BYTES: z.coerce.number().int().min(1024).default(1_048_576).describe('largest request body'),
    MAX_IN_FLIGHT: z.coerce
      .number()
      .int()
      .min(1)
      .default(10_000)
      .describe('commands that wait for the log or store at most'),
    RETENTION_DAYS: z
      .string()
      .default('')
      .transform((list) => list.split(',').flatMap((entry) => entry.trim() || []))
      .pipe(z.array(z.string().regex(/^[\w-]+=[1-9]\d{0,4}$/, 'must be domain=days, separated by commas')))
      .transform((entries) => entries.map((entry) => entry.split('=')))
      .transform((entries) => new Map(entries.map(([domain = '', days]) => [domain, Number(days)])))
      .describe('for how many days documents are kept, by domain'),
    FAULT_ROUTES: z
      .enum(['off', 'on'])
      .default('off')
      .describe('on: routes that fail on purpose are there, to test alerts'),
    INSTANCE: z.string().min(1).default(hostname()).describe('name of this instance; a restart keeps it'),
    LOG_LEVEL: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('least level logged'),
    FUNCTION_TARGET: z
      .enum(['publish', 'grpc', 'persist', 'query', 'prepare', 'source'])
      .optional()
      .describe(
        'what the image runs: a function, the Job that prepares for them, or the stand-in for the KafkaSources',
      ),
    PERSIST_URL: z
      .url({ protocol: /^https?$/ })
      .default('http://persist:8080/')
      .describe('where the stand-in posts to'),
    SOURCE_PACING: z
      .enum(['off', 'real'])
      .default('off')
      .describe('real: the local source polls every 200 ms, as an ordered KafkaSource does'),
  })
  .refine(({ KAFKA_USERNAME: name, KAFKA_PASSWORD: password }) => (name === undefined) === (password === undefined), {
    path: ['KAFKA_PASSWORD'],
    message: 'KAFKA_USERNAME and KAFKA_PASSWORD come together',
  })
  .refine(({ OIDC_ISSUER, OIDC_URL }) => OIDC_ISSUER !== undefined || OIDC_URL === undefined, {
    path: ['OIDC_URL'],
    message: 'is of no use without OIDC_ISSUER',
  })
  .refine(({ KAFKA_TLS, KAFKA_CA_FILE }) => KAFKA_TLS === 'on' || KAFKA_CA_FILE === undefined, {
    path: ['KAFKA_CA_FILE'],
    message: 'is of no use without KAFKA_TLS=on',
  })

export type Config = z.infer<typeof schema>

/** Settings whose values no error message contains. */
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

export const settings = schema.shape

let parsed: Config | undefined

/** The configuration of this process, parsed once. A wrong one prints the wrong variables and ends the process. */
export const config = (): Config => (parsed ??= readOrEnd())

function readOrEnd(): Config {
  try {
    return readConfig(process.env)
  } catch (error) {
    console.error((error as Error).message)
    process.exit(1)
  }
}
