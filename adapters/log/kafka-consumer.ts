import type { Kafka } from 'kafkajs'
import { type Clock, systemClock } from '#core/clock.ts'
import type { ConsumeOptions, Consumer, LogRecord } from '#core/log.ts'
import { Unavailable } from '#core/unavailable.ts'
import { asUnavailable } from './kafka-errors.ts'
import { groupMembership } from './kafka-membership.ts'
import { readAhead } from './kafka-read-ahead.ts'

/** kafkajs's heartbeats find a moved coordinator within two seconds, if they find it at all. */
const REJOIN_AFTER_MS = 4000

/**
 * Consumes a topic as a member of a group until it is closed.
 *
 * kafkajs commits to the coordinator that it found when it joined. When two of its joins overlap, that can be an old one,
 * while its heartbeats reach the new one. Then it never joins again and no commit succeeds. So a member whose commits keep
 * failing is replaced.
 */
export async function joinGroup(
  kafka: Kafka,
  options: ConsumeOptions,
  take: (records: LogRecord[]) => Promise<void>,
  clock: Clock = systemClock,
): Promise<Consumer> {
  const { topic, maxRecords, onError = () => {} } = options
  const group = groupMembership(kafka, { ...options, onError }, (payload) => ahead.add(payload), clock)
  const { assigned, isStopped } = group
  const ahead = readAhead({ take, maxRecords, onError, clock, assigned, isStopped })
  /** The time of the first failure since the last commit that succeeded. */
  let failingSince: number | undefined

  await group.join()
  return {
    async commit(partition, offset) {
      const member = group.member()
      if (!member || !assigned().has(partition)) {
        throw new Unavailable('log', `partition ${partition} is no longer assigned to this consumer`)
      }
      try {
        await member.commitOffsets([{ topic, partition, offset: String(offset) }])
        failingSince = undefined
      } catch (error) {
        failingSince ??= clock.now()
        if (group.member() === member && !isStopped() && clock.now() - failingSince >= REJOIN_AFTER_MS) {
          failingSince = undefined
          group.replace(member, error as Error)
        }
        throw asUnavailable(error)
      }
    },
    async close() {
      group.stop()
      await ahead.settled()
      await group.leave()
    },
  }
}
