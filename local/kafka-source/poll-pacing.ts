import type { Clock } from '#core/clock.ts'

const POLL_MS = 200

/**
 * The pace of an ordered KafkaSource: it polls every 200 ms and gets at most `records`; and since a poll brings what was
 * fetched at the poll before, a record waits for the second one. What it returns is called when a record comes and
 * resolves when a poll hands it out.
 */
export function polls(clock: Clock, records: number, stopping: AbortSignal): () => Promise<void> {
  const waiting: (() => void)[] = []

  async function poll(): Promise<void> {
    let fetched = 0
    while (!stopping.aborted) {
      await clock.sleep(POLL_MS, stopping)
      for (const handOut of waiting.splice(0, Math.min(fetched, records))) handOut()
      fetched = waiting.length
    }
    for (const handOut of waiting.splice(0)) handOut()
  }

  void poll()
  return () => (stopping.aborted ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)))
}
