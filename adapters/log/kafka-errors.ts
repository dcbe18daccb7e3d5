import kafkajs from 'kafkajs'
import { Unavailable } from '#core/unavailable.ts'

/** Errors of the record itself, which a repeat would not change. */
const RECORD_FAULTS = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP'])

const PRODUCER_FAULTS = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'PRODUCER_FENCED',
])

/** A coordinator that has just moved or was just made accepts no members for a moment. */
const COORDINATOR_MOVES = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
])

/** The protocol's name of an error, at any depth of kafkajs's wrappers. */
function typeOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('type' in at) return String(at.type)
  }
  return ''
}

/** Messages of kafkajs 2.2.4 for an outage in an unexpected state. By class these are plain errors or mistakes. */
const OUTAGE_MESSAGES = [
  /^Broker not connected$/,
  /^The producer is disconnecting/,
  /^Consumer group was not initialized/,
  /^Invalid state, can't transition/,
]

/** Arguments that kafkajs refuses, operations that it lacks, and data that it can't read. Waiting helps none of them. */
const FAULTS = new Set([
  'KafkaJSNonRetriableError',
  'KafkaJSNotImplemented',
  'KafkaJSInvariantViolation',
  'KafkaJSServerDoesNotSupportApiKey',
  'KafkaJSUnsupportedMagicByteInMessageSet',
  'KafkaJSPartialMessageError',
])

/** Requests that a broker never accepts. */
const MISTAKES = new Set(['INVALID_TOPIC_EXCEPTION', 'INVALID_REQUEST', 'INVALID_REQUIRED_ACKS', 'UNSUPPORTED_VERSION'])

/** The innermost error. kafkajs wraps an error once for each of its retries. */
function rootOf(error: Error): Error {
  return error.cause instanceof Error ? rootOf(error.cause) : error
}

/** True when the brokers are unreachable or don't serve; false for a bug or a mistake, in this code or in kafkajs. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const root = rootOf(error)
  if (root instanceof Unavailable || OUTAGE_MESSAGES.some((words) => words.test(root.message))) return true
  return root instanceof kafkajs.KafkaJSError && !FAULTS.has(root.name) && !MISTAKES.has(typeOf(root))
}

/** For calls that append nothing. Whether a send may have written is decided by its lane. */
export const asUnavailable = (error: unknown): unknown =>
  error instanceof Error && !(error instanceof Unavailable) && isOutage(error)
    ? new Unavailable('log', error.message, { cause: error })
    : error

export const isRecordsFault = (error: unknown): boolean => RECORD_FAULTS.has(typeOf(error))

export const isProducersFault = (error: unknown): boolean => PRODUCER_FAULTS.has(typeOf(error))

/** True when a broker has answered, so that the connection works. */
export const isAnswer = (error: unknown): boolean => typeOf(error) !== ''

export const isCoordinatorMoving = (error: unknown): boolean => COORDINATOR_MOVES.has(typeOf(error))

export const isTopicUnknown = (error: unknown): boolean => typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION'

export async function connected<Client extends { connect(): Promise<void> }>(client: Client): Promise<Client> {
  await client.connect()
  return client
}
