import type { Admin, Kafka } from 'kafkajs'
import { asUnavailable, connected, isAnswer } from './kafka-errors.ts'

export interface KafkaAdmin {
  /** Connects first if there is no connection. Rejects with `Unavailable` in an outage. */
  request<Result>(call: (admin: Admin) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

/** The admin client of a log. After a connection error the next request connects again. */
export function kafkaAdmin(kafka: Kafka): KafkaAdmin {
  let connecting: Promise<Admin> | undefined
  return {
    async request(call) {
      connecting ??= connected(kafka.admin())
      const current = connecting
      try {
        return await call(await current)
      } catch (error) {
        if (!isAnswer(error)) {
          if (connecting === current) connecting = undefined
          void current.then((admin) => admin.disconnect()).catch(() => undefined)
        }
        throw asUnavailable(error)
      }
    },
    async close() {
      const admin = await connecting?.catch(() => undefined)
      await admin?.disconnect()
    },
  }
}
