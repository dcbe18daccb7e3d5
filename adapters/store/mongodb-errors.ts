import {
  BSON,
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
  type WriteError,
} from 'mongodb'
import { Unavailable } from '#core/unavailable.ts'

/** What the errors of MongoDB and its driver say: an outage, a document that can't be stored, or a mistake. */

/** By class, since an interrupted pool throws a network error of another name. */
const OUTAGES = [
  MongoNetworkError,
  MongoServerSelectionError,
  MongoNotConnectedError,
  MongoTopologyClosedError,
  MongoClientClosedError,
  MongoWriteConcernError,
]

/** The driver doesn't export their classes. */
const OUTAGE_NAMES = new Set(['MongoPoolClosedError', 'MongoWaitQueueTimeoutError'])

/** Stepping down, shutting down, no primary, interrupted, time limits: codes of servers that are there but can't serve. */
const OUTAGE_CODES = new Set([6, 7, 50, 64, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436])

/** An outage as `Unavailable`, anything else as it is. */
export function asUnavailable(error: unknown): unknown {
  if (!(error instanceof MongoError)) return error
  const isOutage =
    OUTAGES.some((outage) => error instanceof outage) ||
    OUTAGE_NAMES.has(error.name) ||
    error.hasErrorLabel('RetryableWriteError') ||
    error.hasErrorLabel('TransientTransactionError') ||
    error.hasErrorLabel('UnknownTransactionCommitResult') ||
    OUTAGE_CODES.has(Number(error.code)) ||
    (error instanceof MongoBulkWriteError &&
      (isDoubtful(error) || (isUnanswered(error) && typeof error.code !== 'number')))
  return isOutage ? new Unavailable('store', error.message, { cause: error }) : error
}

/** What was written may not last: nothing about this batch counts as done. */
export const isDoubtful = (error: MongoBulkWriteError): boolean =>
  error.result.getWriteConcernError() !== undefined || writeErrorsOf(error).some(({ code }) => OUTAGE_CODES.has(code))

/** The driver dresses whatever ended a bulk write as a whole like this, also that there was no connection: no document was answered. */
export const isUnanswered = (error: MongoBulkWriteError): boolean =>
  writeErrorsOf(error).length === 0 && error.result.getWriteConcernError() === undefined

export const writeErrorsOf = ({ writeErrors }: MongoBulkWriteError): WriteError[] =>
  [writeErrors].flat() as WriteError[]

/** BadValue, Overflow, InvalidBSON, BSONObjectTooLarge: how a server refuses a batch that it can't read. */
const UNREADABLE = new Set([2, 15, 22, 10334])

/**
 * A batch that the driver can't write or the server can't read, for one document or more of it: too large, nested too
 * deep, or with a name that BSON does not have (a zero byte in it, or `_bsontype`). What is beyond the driver's buffer or
 * stack is a bare RangeError.
 */
export function isUnwritable(error: unknown): error is Error {
  if (BSON.BSONError.isBSONError(error) || error instanceof RangeError) return true
  if (!(error instanceof MongoError) || (error instanceof MongoBulkWriteError && !isUnanswered(error))) return false
  return (
    UNREADABLE.has(Number(error.code)) || /larger than|too large|out of range|maxBsonObjectSize/i.test(error.message)
  )
}

const DUPLICATE_KEY = 11000

/** The id was there before. A duplicate in an index that somebody added is a refusal instead. */
export const isDuplicateId = ({ code, errmsg = '' }: WriteError): boolean =>
  code === DUPLICATE_KEY && !/ index: (?!_id_ )/.test(errmsg)
