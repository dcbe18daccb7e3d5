import kafkajs from 'kafkajs'
import { Unavailable } from '../unavailable.ts'

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

export const asUnavailable = (error: unknown): unknown =>
  error instanceof kafkajs.KafkaJSError ? new Unavailable('log', error.message, { cause: error }) : error

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
