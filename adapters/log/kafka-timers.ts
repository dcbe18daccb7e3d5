// @ts-expect-error: kafkajs declares the types of its public parts only.
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

/**
 * kafkajs 2.2.4 leaves a timer on every connection that fires each millisecond for ever: each response schedules a check for
 * requests that wait, at a time in the past, and each check schedules the next one. Here a check is scheduled only while requests
 * wait. A request that waits later schedules its own.
 */
const schedule: () => void = RequestQueue.prototype.scheduleCheckPendingRequests

RequestQueue.prototype.scheduleCheckPendingRequests = function (this: { pending: unknown[] }) {
  if (this.pending.length > 0) schedule.call(this)
}
