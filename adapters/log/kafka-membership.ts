import type { EachBatchHandler, Kafka, Consumer as Member } from 'kafkajs'
import { type Clock, MINUTE_MS } from '#core/clock.ts'
import type { ConsumeOptions } from '#core/log.ts'
import { retry } from '#core/retry.ts'
import { asUnavailable } from './kafka-errors.ts'
import { FETCH } from './kafka-read-ahead.ts'

const RETRY_MS = 500
const JOINED_WITHIN_MS = MINUTE_MS
/** The longest time that a member may take to leave its group before the next one joins. */
const LEAVE_MS = 3000

export interface GroupMembership {
  /** The assigned partitions: a new set after each rebalance. Earlier records say nothing about where it continues. */
  assigned(): ReadonlySet<number>
  /** The member of kafkajs; undefined between two members. */
  member(): Member | undefined
  /** Resolves with the first assignment. Retries for a minute once the brokers have answered. */
  join(): Promise<void>
  /** Replaces the member by a new one. Records that it had not committed are delivered again. */
  replace(member: Member, reason: Error): void
  isStopped(): boolean
  /** No new member joins after this. */
  stop(): void
  leave(): Promise<void>
}

/** Membership of a consumer group. When kafkajs gives a member up, a new one joins. */
export function groupMembership(
  kafka: Kafka,
  options: ConsumeOptions & Required<Pick<ConsumeOptions, 'onError'>>,
  eachBatch: EachBatchHandler,
  clock: Clock,
): GroupMembership {
  const { onError } = options
  let current: Member | undefined
  let assigned: ReadonlySet<number> = new Set()
  let rejoining: Promise<void> | undefined
  /** Members that were replaced: their later events are ignored. */
  const replaced = new WeakSet<Member>()
  /** True once the brokers have answered: a later failure is one of the group, and passes. */
  let isReached = false
  let isStopped = false

  async function open(): Promise<void> {
    const { member, crashed } = await openMember(kafka, options, {
      eachBatch,
      onReached() {
        isReached = true
      },
      onAssigned(member, partitions) {
        if (!replaced.has(member)) assigned = new Set(partitions)
      },
    })
    current = member
    crashed.catch((error) => {
      if (replaced.has(member)) return
      drop()
      onError(error)
      if (!isStopped) rejoining = rejoin()
    })
  }

  function drop(): void {
    assigned = new Set()
    current = undefined
  }

  const rejoin = (): Promise<void> =>
    retry(async () => (isStopped ? undefined : await open()), {
      clock,
      when: () => true,
      pause: () => RETRY_MS,
      onRetry: (error) => onError(error as Error),
    })

  return {
    assigned: () => assigned,
    member: () => current,

    /** A group whose last members died without leaving rebalances only after their session time-out. */
    join: () =>
      retry(open, {
        clock,
        when: () => isReached,
        pause: () => RETRY_MS,
        deadline: clock.now() + JOINED_WITHIN_MS,
        onRetry: (error) => onError(error as Error),
      }),

    replace(member, cause) {
      replaced.add(member)
      drop()
      onError(new Error('commits kept failing: the consumer joins its group again', { cause }))
      const hasLeft = new AbortController()
      const leaving = member.disconnect().catch(() => undefined)
      rejoining = Promise.race([leaving, clock.sleep(LEAVE_MS, hasLeft.signal)])
        .finally(() => hasLeft.abort())
        .then(rejoin)
    },

    isStopped: () => isStopped,
    stop() {
      isStopped = true
    },

    async leave() {
      await rejoining
      await current?.disconnect()
    },
  }
}

interface MemberEvents {
  eachBatch: EachBatchHandler
  /** Called once the brokers have answered. */
  onReached(): void
  /** Called after each rebalance. */
  onAssigned(member: Member, partitions: number[]): void
}

/** Joins the group with a new member. `crashed` rejects when kafkajs gives it up. Rejects with `Unavailable` in an outage. */
async function openMember(
  kafka: Kafka,
  { topic, group, initialOffset }: ConsumeOptions,
  { eachBatch, onReached, onAssigned }: MemberEvents,
): Promise<{ member: Member; crashed: Promise<never> }> {
  const member = kafka.consumer({
    ...FETCH,
    groupId: group,
    maxWaitTimeInMs: 200,
    heartbeatInterval: 2000,
    sessionTimeout: 10_000,
    rebalanceTimeout: 15_000,
    allowAutoTopicCreation: false,
    retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 1000, restartOnFailure: async () => false },
  })
  const crashed = new Promise<never>((_, reject) => {
    member.on(member.events.CRASH, ({ payload }) => reject(payload.error))
  })
  const joined = new Promise<void>((resolve) => {
    member.on(member.events.GROUP_JOIN, ({ payload }) => {
      onAssigned(member, payload.memberAssignment[topic] ?? [])
      resolve()
    })
  })
  crashed.catch(() => undefined)
  try {
    await member.connect()
    await member.subscribe({ topics: [topic], fromBeginning: initialOffset === 'earliest' })
    onReached()
    await member.run({ autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: 64, eachBatch })
    await Promise.race([joined, crashed])
    return { member, crashed }
  } catch (error) {
    await member.disconnect().catch(() => undefined)
    throw asUnavailable(error)
  }
}
