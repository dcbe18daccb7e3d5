// @ts-expect-error kafkajs has no types for its parts.
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

/**
 * Since its first request, each connection of kafkajs 2.2.4 looks a thousand times a second for requests that wait, also while none does,
 * by a timer in the past, about which Node warns. With this it looks only while a request waits. Each new request and each response look
 * too, so nothing is sent later.
 */
interface Queue {
  pending: unknown[]
}

const { prototype } = RequestQueue as { prototype: { scheduleCheckPendingRequests(this: Queue): void } }
const { scheduleCheckPendingRequests: schedule } = prototype

prototype.scheduleCheckPendingRequests = function scheduleIfPending() {
  if (this.pending.length > 0) schedule.call(this)
}
