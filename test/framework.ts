import type { Server } from 'node:http'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { systemClock } from '#core/clock.ts'
import { sourceOf } from '#core/kafka-source-policy.ts'
import { startKafkaSource } from '#local/kafka-source/kafka-source.ts'
import { config } from '#main/config.ts'
import { findDomains } from '#main/find-domains.ts'
import { closeAll, openLog } from '#main/log-and-store.ts'
import { prepare } from '#main/prepare.ts'
import { quiet } from './telemetry.ts'

/** The three functions on the bare functions-framework, each on its own port, with the same local source. */
await prepare()
await Promise.all([
  import('#functions/publish/index.ts'),
  import('#functions/persist/index.ts'),
  import('#functions/query/index.ts'),
])

const ports = { publish: process.env.PORT, persist: process.env.PERSIST_PORT, query: process.env.QUERY_PORT }

const listen = (name: string, port: string | undefined) =>
  new Promise<Server>((resolve) => {
    const server = getTestServer(name)
    server.listen(Number(port), '127.0.0.1', () => resolve(server))
  })

const servers = await Promise.all(Object.entries(ports).map(([name, port]) => listen(name, port)))
const log = await openLog(config())
const sources = await Promise.all(
  (await findDomains()).map((domain) => {
    const spec = sourceOf(domain, { persist: `http://127.0.0.1:${ports.persist}/`, deadLetters: '' })
    const { deadLetterSink: _, ...delivery } = spec.delivery
    return startKafkaSource({ ...spec, delivery }, { ...quiet(), log, clock: systemClock })
  }),
)

process.once('SIGINT', async () => {
  await Promise.all(sources.map((source) => source.close()))
  for (const server of servers) server.close().closeAllConnections()
  await closeAll()
  process.exit(0)
})
