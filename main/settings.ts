import { hostname } from 'node:os'
import { z } from 'zod'

/** The signature algorithms that need only a public key to verify. */
const ASYMMETRIC = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA'] as const),
]

const port = z.coerce.number().int().min(0).max(65535)

/**
 * Every setting, by the name of its environment variable. `make docs` writes the table in docs/configuration.md from it.
 * `defaultText` is what the table shows where the default is not a constant.
 */
export const settings = {
  PORT: port.default(8080).describe('The port of the HTTP host.'),
  GRPC_PORT: port
    .default(50_051)
    .describe('The port of gRPC in `make dev`. In the image, the target `grpc` listens at `PORT`.'),
  METRICS_PORT: port
    .default(8081)
    .describe('The port of `/metrics` and `/health` for the target `grpc`, whose `PORT` speaks gRPC only.'),
  HOST: z
    .string()
    .optional()
    .meta({ description: 'The address to listen on.', defaultText: '`0.0.0.0`; `127.0.0.1` in `make dev`' }),
  ALLOWED_HOSTS: z
    .string()
    .default('')
    .transform((list) => list.split(',').flatMap((name) => name.trim() || []))
    .pipe(
      z.array(z.string().regex(/^(\[[\da-fA-F:.]+\]|[\w.-]+)$/, 'must be names without ports, separated by commas')),
    )
    .describe(
      'The host names that `make dev` accepts besides `localhost`, `127.0.0.1`, `[::1]` and `HOST`, separated by commas. ' +
        'Any other `Host` is 421 (`PERMISSION_DENIED` over gRPC). A write from a page of any other host (`Origin`) is 403.',
    ),
  LOG: z.enum(['embedded', 'kafka']).default('embedded').describe('The log adapter: `embedded` or `kafka`.'),
  STORE: z.enum(['embedded', 'mongodb']).default('embedded').describe('The store adapter: `embedded` or `mongodb`.'),
  MILLRACE_DIR: z.string().min(1).default('.millrace').describe('The folder of the embedded log and store.'),
  KAFKA_BROKERS: z
    .string()
    .default('127.0.0.1:19092,127.0.0.1:19093,127.0.0.1:19094')
    .transform((list) => list.split(',').map((broker) => broker.trim()))
    .pipe(z.array(z.string().regex(/^[^\s:]+:\d+$/, 'must be host:port, separated by commas')).min(1))
    .describe('The bootstrap servers, as `host:port` separated by commas.'),
  KAFKA_REPLICATION: z.coerce
    .number()
    .int()
    .min(1)
    .default(3)
    .describe('The replication factor of the topics that Millrace creates.'),
  KAFKA_TLS: z.enum(['off', 'on']).default('off').describe('`on`: connect to the brokers over TLS.'),
  KAFKA_CA_FILE: z.string().min(1).optional().meta({
    description: "The PEM file of the authority that signed the brokers' certificates.",
    defaultText: 'the authorities that Node trusts',
  }),
  KAFKA_USERNAME: z.string().min(1).optional().describe('The user name at the brokers.'),
  KAFKA_PASSWORD: z.string().min(1).optional().describe('The password at the brokers.'),
  KAFKA_SASL: z
    .string()
    .default('plain')
    .transform((mechanism) => mechanism.toLowerCase())
    .pipe(z.enum(['plain', 'scram-sha-256', 'scram-sha-512']))
    .describe('The SASL mechanism, in upper or lower case: `plain`, `scram-sha-256` or `scram-sha-512`.'),
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\//, 'must begin with mongodb:// or mongodb+srv://')
    .default('mongodb://127.0.0.1:27117/?directConnection=true')
    .describe('The connection string of MongoDB.'),
  MONGODB_DATABASE: z.string().min(1).default('millrace').describe('The name of the database.'),
  MONGODB_POOL: z.coerce
    .number()
    .int()
    .min(1)
    .default(20)
    .describe('The largest number of connections that a process opens to each MongoDB server.'),
  RECEIPT_SECRET: z
    .string()
    .min(32)
    .regex(/^[^,]*$/, 'must have no comma, which separates OTHER_SECRETS')
    .optional()
    .meta({
      description: 'The secret that signs receipts and seals records. publish, persist and query need the same one.',
      defaultText: 'generated once and stored in `MILLRACE_DIR`',
    }),
  OTHER_SECRETS: z
    .string()
    .default('')
    .transform((list) => list.split(',').flatMap((secret) => secret.trim() || []))
    .pipe(z.array(z.string().min(32)))
    .describe(
      'Further secrets whose receipts and seals are accepted, separated by commas: the next secret and previous ones. ' +
        '[How to change the secret](operations.md#change-the-secret).',
    ),
  UNSEALED: z
    .enum(['plain', 'trust'])
    .default('plain')
    .describe(
      "How persist treats a record without a seal. `plain`: as the topic's plain command from an anonymous caller. " +
        '`trust`: as its attributes say, [while an upgrade from 0.1 drains the log](operations.md#upgrade).',
    ),
  OIDC_ISSUER: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({
      description: 'The URL of the issuer whose tokens are accepted. Without an issuer all callers are anonymous.',
      defaultText: 'none; its own issuer in `make dev`',
    }),
  OIDC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({ description: 'The URL at which functions reach the issuer.', defaultText: '`OIDC_ISSUER`' }),
  OIDC_AUDIENCE: z.string().min(1).default('millrace').describe('The audience that a token must have.'),
  OIDC_ALGORITHMS: z
    .string()
    .default('RS256,ES256,PS256,EdDSA')
    .transform((list) => list.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(ASYMMETRIC)).min(1))
    .describe(
      'The signature algorithms that a token may have, separated by commas. Shared secrets are never accepted.',
    ),
  ANONYMOUS_SCOPES: z
    .string()
    .default('tutorials:read tutorials:write sums:read sums:write forum:read')
    .transform((list) => list.split(' ').filter((scope) => scope !== '' && scope !== 'none'))
    .describe('The scopes of callers without a token, separated by blanks. `none`: no scopes.'),
  MAX_BODY_BYTES: z.coerce.number().int().min(1024).default(1_048_576).describe('The largest request body.'),
  MAX_IN_FLIGHT: z.coerce
    .number()
    .int()
    .min(1)
    .default(10_000)
    .describe('The largest number of commands that wait for the log or the store. Any more get a 503.'),
  RETENTION_DAYS: z
    .string()
    .default('')
    .transform((list) => list.split(',').flatMap((entry) => entry.trim() || []))
    .pipe(z.array(z.string().regex(/^[\w-]+=[1-9]\d{0,4}$/, 'must be domain=days, separated by commas')))
    .transform((entries) => entries.map((entry) => entry.split('=')))
    .transform((entries) => new Map(entries.map(([domain = '', days]) => [domain, Number(days)])))
    .meta({
      description:
        'The number of days for which a domain keeps its documents, as `logs=30,...`, for domains that remove documents. ' +
        'A domain that keeps documents for less than 30 days recognises repeated commands for as long.',
      defaultText: 'what each domain declares',
    }),
  FAULT_ROUTES: z
    .enum(['off', 'on'])
    .default('off')
    .describe('`on`: serve the routes that fail on purpose, to test alerts.'),
  INSTANCE: z.string().min(1).default(hostname()).meta({
    description: 'The name of this instance. It must be the same after a restart.',
    defaultText: 'the host name',
  }),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .optional()
    .meta({
      description:
        'The lowest level that is logged: `trace`, `debug`, `info`, `warn`, `error` or `silent`. `debug` logs every command. ' +
        'The log is JSON lines. At a terminal it is readable lines, one for each command, and at `trace` more.',
      defaultText: '`info`; `debug` at a terminal',
    }),
  TYPES: z.enum(['off', 'on']).optional().meta({
    description: '`on`: `make dev` checks the types of the domains beside, and logs the errors.',
    defaultText: '`on` at a terminal',
  }),
  FUNCTION_TARGET: z
    .enum(['publish', 'grpc', 'persist', 'query', 'prepare', 'source'])
    .optional()
    .describe(
      'The part that the image runs: a function (`publish`, `grpc` for publish over gRPC, `persist`, `query`), or `prepare`, ' +
        'which creates topics and indexes. Only the image of `make up` also runs `source`, the local KafkaSources.',
    ),
  PERSIST_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://persist:8080/')
    .describe('The URL of persist, for the target `source`.'),
  SOURCE_PACING: z
    .enum(['off', 'real'])
    .default('off')
    .describe('`real`: an ordered local source polls every 200 ms, as an ordered KafkaSource does.'),
}
