import { systemClock } from '#core/clock.ts'
import type { ConsumeOptions, Consumer, LogRecord } from '#core/log.ts'
import type { EmbeddedRecords } from './embedded-records.ts'

/** The longest delay of a commit. After a crash the records since the last commit are delivered again, as by a KafkaSource. */
const COMMIT_DELAY_MS = 50
/** The pause before `take` gets the same records again after a failure. */
const RETRY_MS = 500

export interface EmbeddedConsumer extends Consumer {
  /** Called when there are new records. */
  wake(): void
}

/** Consumes a topic of the embedded log. */
export function embeddedConsumer(
  records: EmbeddedRecords,
  { topic, group, initialOffset, maxRecords, onError }: ConsumeOptions,
  take: (records: LogRecord[]) => Promise<void>,
): EmbeddedConsumer {
  const start = records.commits(topic, group)
  const positions = records
    .endsOf(topic)
    .map((end, partition) => start.get(partition) ?? (initialOffset === 'earliest' ? 0 : end))
  const busy = new Set<number>()
  const taking = new Set<Promise<void>>()
  const commits = new Map<number, number>()
  let timer: NodeJS.Timeout | undefined
  const stopping = new AbortController()

  /** Retries after an error of the file, since such an error passes. */
  function wake(): void {
    if (stopping.signal.aborted) return
    try {
      takeNext()
    } catch (error) {
      onError?.(error as Error)
      setTimeout(wake, RETRY_MS).unref()
    }
  }

  function takeNext(): void {
    for (const [partition, from] of positions.entries()) {
      if (stopping.signal.aborted) return
      if (busy.has(partition) || from >= (records.endsOf(topic)[partition] ?? 0)) continue
      const next = records.read({ topic, partition, from, end: Number.MAX_SAFE_INTEGER, limit: maxRecords })
      positions[partition] = (next.at(-1)?.offset ?? from) + 1
      busy.add(partition)
      const taken = take(next)
        .catch(async (error) => {
          onError?.(error)
          positions[partition] = from
          await systemClock.sleep(RETRY_MS, stopping.signal)
        })
        .finally(() => {
          taking.delete(taken)
          busy.delete(partition)
          setImmediate(wake)
        })
      taking.add(taken)
    }
  }

  /** Commits that can't be written wait for the next write. At worst their records are delivered again. */
  function writeCommits(): void {
    clearTimeout(timer)
    timer = undefined
    if (commits.size === 0) return
    try {
      records.writeCommits(topic, group, commits)
      commits.clear()
    } catch (error) {
      onError?.(error as Error)
    }
  }

  setImmediate(wake)
  return {
    wake,
    async commit(partition, offset) {
      commits.set(partition, offset)
      timer ??= setTimeout(writeCommits, COMMIT_DELAY_MS)
    },
    async close() {
      stopping.abort()
      await Promise.all(taking)
      writeCommits()
    },
  }
}
