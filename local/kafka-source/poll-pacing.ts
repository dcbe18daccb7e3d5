import type { Clock } from '#core/clock.ts'

const POLL_MS = 200

/**
 * The pace of an ordered KafkaSource. It polls every 200 ms and gets at most `records`. Since a poll returns the records
 * that were fetched at the previous poll, a record waits for its second poll. Call the returned function when a record
 * arrives; it resolves when a poll returns the record.
 */
export function pollPacing(clock: Clock, records: number, stopping: AbortSignal): () => Promise<void> {
  const waiting: (() => void)[] = []

  async function poll(): Promise<void> {
    let fetched = 0
    while (!stopping.aborted) {
      await clock.sleep(POLL_MS, stopping)
      for (const resolve of waiting.splice(0, Math.min(fetched, records))) resolve()
      fetched = waiting.length
    }
    for (const resolve of waiting.splice(0)) resolve()
  }

  void poll()
  return () => (stopping.aborted ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)))
}
