import type { EventEmitter } from 'node:events'

/** A signal that aborts when the emitter emits the event, or at once if that has happened already. */
export function abortedBy(emitter: EventEmitter, event: string, hasHappened: boolean): AbortSignal {
  const controller = new AbortController()
  if (hasHappened) controller.abort()
  else emitter.once(event, () => controller.abort())
  return controller.signal
}
