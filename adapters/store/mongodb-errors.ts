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

/** Classifies the errors of MongoDB and its driver: an outage, a document that can't be stored, or a mistake. */

/** Checked by class, since an interrupted pool throws a network error with another name. */
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

/** Codes of servers that are reachable but can't serve: stepping down, shutting down, no primary, interrupted, time limits. */
const OUTAGE_CODES = new Set([6, 7, 50, 64, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436])

/** An outage becomes `Unavailable`; any other error is returned unchanged. */
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

/** True when a write may be rolled back, so that nothing of this batch counts as done. */
export const isDoubtful = (error: MongoBulkWriteError): boolean =>
  error.result.getWriteConcernError() !== undefined || writeErrorsOf(error).some(({ code }) => OUTAGE_CODES.has(code))

/** True when no document has a result. The driver uses this error for whatever ended a whole bulk write, also a missing connection. */
export const isUnanswered = (error: MongoBulkWriteError): boolean =>
  writeErrorsOf(error).length === 0 && error.result.getWriteConcernError() === undefined

export const writeErrorsOf = ({ writeErrors }: MongoBulkWriteError): WriteError[] =>
  [writeErrors].flat() as WriteError[]

/** BadValue, Overflow, InvalidBSON, BSONObjectTooLarge: the codes with which a server refuses a batch that it can't read. */
const UNREADABLE = new Set([2, 15, 22, 10334])

/**
 * True when the driver can't write or the server can't read a batch because of one of its documents: too large, nested too
 * deep, or with a name that BSON does not have (a zero byte in it, or `_bsontype`). Beyond the driver's buffer or
 * stack the error is a bare RangeError.
 */
export function isUnwritable(error: unknown): error is Error {
  if (BSON.BSONError.isBSONError(error) || error instanceof RangeError) return true
  if (!(error instanceof MongoError) || (error instanceof MongoBulkWriteError && !isUnanswered(error))) return false
  return (
    UNREADABLE.has(Number(error.code)) || /larger than|too large|out of range|maxBsonObjectSize/i.test(error.message)
  )
}

const DUPLICATE_KEY = 11000

/** True when the id existed before. A duplicate in an index that an operator added is a refusal instead. */
export const isDuplicateId = ({ code, errmsg = '' }: WriteError): boolean =>
  code === DUPLICATE_KEY && !/ index: (?!_id_ )/.test(errmsg)
