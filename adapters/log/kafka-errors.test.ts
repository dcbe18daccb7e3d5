import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type * as kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { Unavailable } from '#core/unavailable.ts'
import { asUnavailable, isOutage } from './kafka-errors.ts'

const { resolve } = createRequire(import.meta.url)
const SOURCE = join(dirname(resolve('kafkajs/package.json')), 'src')
const load = createRequire(join(SOURCE, 'index.js'))
type Thrown = new (...args: unknown[]) => Error
const errors: Record<string, Thrown> = load('./errors')
const { createErrorFromCode, errorCodes } = load('./protocol/error') as {
  createErrorFromCode(code: number): Error
  errorCodes: { type: string; code: number }[]
}
const createRetry: () => <Result>(call: (bail: (error: Error) => void) => Promise<Result>) => Promise<Result> = (
  load('./retry') as (options: kafkajs.RetryOptions) => ReturnType<typeof createRetry>
).bind(null, { retries: 1, initialRetryTime: 1 })

const made = (name: string, ...args: unknown[]) => new (errors[name] as Thrown)(...args)
const plain = (message: string) => new Error(message)
const refused = (message: string) => made('KafkaJSNonRetriableError', message)
const protocol = (type: string) => createErrorFromCode(errorCodes.find((known) => known.type === type)?.code ?? 0)

/** Every class of kafkajs on the paths of producer, metadata, admin and consumer, and what it may say. */
const OUTAGES: [string, Error][] = [
  ['broker/index.js, a plain error', plain('Broker not connected')],
  ['messageProducer.js', refused("The producer is disconnecting; therefore, it can't safely accept messages anymore")],
  ['messageProducer.js', made('KafkaJSError', 'The producer is disconnected')],
  ['consumer/index.js', refused('Consumer group was not initialized, consumer#run must be called first')],
  ['socketRequest.js', refused("Invalid state, can't transition from Symbol(rejected) to Symbol(completed)")],
  ['connection.js', made('KafkaJSConnectionError', 'Connection error: connect ECONNREFUSED', { code: 'ECONNREFUSED' })],
  ['connection.js', made('KafkaJSConnectionClosedError', 'Closed connection', { host: 'kafka-0', port: 9092 })],
  ['socketRequest.js', made('KafkaJSRequestTimeoutError', 'Request Produce timed out')],
  ['lock.js', made('KafkaJSLockTimeout', 'Timeout while acquiring lock')],
  ['brokerPool.js', made('KafkaJSBrokerNotFound', 'Broker 1 not found in the cached metadata')],
  ['fetchManager.js', made('KafkaJSNoBrokerAvailableError')],
  ['sendMessages.js', made('KafkaJSMetadataNotLoaded', 'Producing to topic without metadata')],
  ['cluster/index.js', made('KafkaJSTopicMetadataNotLoaded', 'Topic metadata not loaded', { topic: 't' })],
  ['cluster/index.js', made('KafkaJSGroupCoordinatorNotFound', 'Failed to find group coordinator')],
  ['consumerGroup.js', made('KafkaJSStaleTopicMetadataAssignment', 'Topic has been updated', { topic: 't' })],
  ['consumerGroup.js', made('KafkaJSError', 'Invalid partition metadata')],
  ['consumerGroup.js', made('KafkaJSError', protocol('REBALANCE_IN_PROGRESS'))],
  ['admin/index.js', made('KafkaJSDeleteGroupsError', 'Error in DeleteGroups', [])],
  ['saslAuthenticator', made('KafkaJSSASLAuthenticationError', 'SASL PLAIN authentication failed')],
]

const FAULTS: [string, Error][] = [
  ['messageProducer.js', refused('Invalid topic')],
  ['messageProducer.js', refused('Invalid message without value for topic "t": {}')],
  ['connectionPoolBuilder.js', refused('Failed to connect: brokers array is empty')],
  ['broker/index.js', refused('API Versions not supported')],
  ['protocol/encoder.js, a plain error', plain('value should be an instance of Encoder')],
  ['protocol/encoder.js, a plain error', plain('all values should be an instance of Encoder[]')],
  ['protocol/encoder.js, a plain error', plain('value should be an instance of Buffer')],
  ['protocol/decoder.js', made('KafkaJSInvalidVarIntError', 'Invalid VarInt, must contain 5 bytes or less')],
  ['protocol/decoder.js', made('KafkaJSInvalidLongError', 'Invalid Long, must contain 9 bytes or less')],
  ['messageSet/decoder.js', made('KafkaJSPartialMessageError', 'Tried to decode a partial message')],
  ['message/decoder.js', made('KafkaJSUnsupportedMagicByteInMessageSet', 'Unsupported magic byte')],
  ['message/compression', made('KafkaJSNotImplemented', 'LZ4 compression not implemented')],
  [
    'requests/index.js',
    made('KafkaJSServerDoesNotSupportApiKey', 'The Kafka server does not support the requested API'),
  ],
  ['invariant', made('KafkaJSInvariantViolation', 'assertion failed')],
  ['shuffle.js', new TypeError("'array' is not an array")],
  ['lock.js', new TypeError("'timeout' is not a number, received 'string'")],
  ['a bug in kafkajs', new TypeError("Cannot read properties of undefined (reading 'connectionPool')")],
  ['a bug in kafkajs', new RangeError('The value of "offset" is out of range')],
]

const wrapped = (error: Error) => createRetry()(() => Promise.reject(error)).catch((seen: Error) => seen)
const bailed = (error: Error) =>
  createRetry()((bail) => Promise.resolve(bail(error))).catch((seen: Error) => seen) as Promise<Error>

test.each(OUTAGES)('%s: an outage, in which nothing was written, alone or wrapped by retries: %s', async (_, error) => {
  for (const seen of [error, await wrapped(error), await bailed(error), await wrapped(await wrapped(error))]) {
    expect(asUnavailable(seen)).toMatchObject({ name: 'Unavailable', what: 'log', mayBeWritten: false, cause: seen })
  }
})

test.each(FAULTS)('%s: a fault, alone or wrapped by retries: %s', async (_, error) => {
  for (const seen of [error, await wrapped(error), await bailed(error)]) expect(asUnavailable(seen)).toBe(seen)
})

test('every error of a broker is an outage, except those that name a wrong request', () => {
  const faults = errorCodes.filter(({ code }) => !isOutage(createErrorFromCode(code))).map(({ type }) => type)
  expect(faults).toEqual(['INVALID_TOPIC_EXCEPTION', 'INVALID_REQUIRED_ACKS', 'UNSUPPORTED_VERSION', 'INVALID_REQUEST'])
})

test('an Unavailable error is unchanged', () => {
  const known = new Unavailable('log', 'gone', { mayBeWritten: true })
  expect(asUnavailable(known)).toBe(known)
  expect(asUnavailable('text')).toBe('text')
})

test('kafkajs throws no plain error that is not listed here', () => {
  const named = [...OUTAGES, ...FAULTS].map(([, { message }]) => message)
  /** Turned into a KafkaJSSASLAuthenticationError; without an error to give (nothing calls it so); a caller's argument. */
  const known = ['finalResponse.e', 'Invalid server signature in server final message', 'Aborted', 'is not a number']
  const thrown = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js') && !/spec|test/i.test(file))
    .flatMap((file) => readFileSync(join(SOURCE, file), 'utf8').split('\n'))
    .filter((line) => /new (Type|Range|Syntax|Reference)?Error\(/.test(line))
  expect(thrown.length).toBeGreaterThan(5)
  expect(thrown.filter((line) => ![...named, ...known].some((words) => line.includes(words)))).toEqual([])
})
