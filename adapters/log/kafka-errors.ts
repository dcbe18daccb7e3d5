import kafkajs from 'kafkajs'
import { Unavailable } from '#core/unavailable.ts'

/** What a record does to itself: sending it again is no use. */
const RECORD_FAULTS = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP'])

const PRODUCER_FAULTS = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'PRODUCER_FENCED',
])

/** A group's coordinator that has just moved, or was just made, takes no members for a moment. */
const COORDINATOR_MOVES = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
])

/** The protocol's name of an error, however deep kafkajs wrapped it. */
function typeOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('type' in at) return String(at.type)
  }
  return ''
}

/** What kafkajs 2.2.4 says when an outage met it in an unexpected state; by class these are plain errors, or mistakes of ours. */
const SAID_IN_OUTAGES = [
  /^Broker not connected$/,
  /^The producer is disconnecting/,
  /^Consumer group was not initialized/,
  /^Invalid state, can't transition/,
]

/** Arguments that kafkajs refuses, what it can't do, and what it can't read: waiting mends none of them. */
const FAULTS = new Set([
  'KafkaJSNonRetriableError',
  'KafkaJSNotImplemented',
  'KafkaJSInvariantViolation',
  'KafkaJSServerDoesNotSupportApiKey',
  'KafkaJSUnsupportedMagicByteInMessageSet',
  'KafkaJSPartialMessageError',
])

/** Requests that a broker will never take. */
const MISTAKES = new Set(['INVALID_TOPIC_EXCEPTION', 'INVALID_REQUEST', 'INVALID_REQUIRED_ACKS', 'UNSUPPORTED_VERSION'])

/** kafkajs wraps an error once for each of its retries: the innermost one says what it was. */
function rootOf(error: Error): Error {
  return error.cause instanceof Error ? rootOf(error.cause) : error
}

/** True while the brokers can't be reached or don't serve; false for a bug or a mistake, of ours or of kafkajs. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const root = rootOf(error)
  if (root instanceof Unavailable || SAID_IN_OUTAGES.some((words) => words.test(root.message))) return true
  return root instanceof kafkajs.KafkaJSError && !FAULTS.has(root.name) && !MISTAKES.has(typeOf(root))
}

/** Of calls that append nothing, so that nothing was written; whether a send may have written its lane knows. */
export const asUnavailable = (error: unknown): unknown =>
  error instanceof Error && !(error instanceof Unavailable) && isOutage(error)
    ? new Unavailable('log', error.message, { cause: error })
    : error

export const isRecordsFault = (error: unknown): boolean => RECORD_FAULTS.has(typeOf(error))

export const isProducersFault = (error: unknown): boolean => PRODUCER_FAULTS.has(typeOf(error))

/** A broker has answered, so the connection is well. */
export const isAnswer = (error: unknown): boolean => typeOf(error) !== ''

export const isCoordinatorMoving = (error: unknown): boolean => COORDINATOR_MOVES.has(typeOf(error))

export const isTopicUnknown = (error: unknown): boolean => typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION'

export async function connected<Client extends { connect(): Promise<void> }>(client: Client): Promise<Client> {
  await client.connect()
  return client
}
