import { systemClock } from '#adapters/clock.ts'
import { config } from '#adapters/config.ts'
import { startGrpc } from '#adapters/grpc/server.ts'
import { startHost } from '#adapters/host/host.ts'
import { httpFunction } from '#adapters/host/http.ts'
import { callers } from '#functions/callers.ts'
import { findDomains } from '#functions/find-domains.ts'
import { findProtos } from '#functions/find-protos.ts'
import { methods } from '#functions/publish/calls.ts'
import { publisher } from '#functions/publish/publisher.ts'
import { MAX_EVENT_BYTES } from '#functions/publish/read.ts'
import { type SubmitParts, submitter } from '#functions/publish/submit.ts'
import { addresses } from '#functions/receipts.ts'
import { seals } from '#functions/seals.ts'

/** publish on our host with a log that forgets at once: what publish costs itself. The rest of rows b and j is the log's. */
const SECRET = 'of a benchmark with thirty-two characters'
const domains = await findDomains()
const callerOf = callers(config(), domains)
const parts: SubmitParts = {
  log: { append: async () => ({ partition: 0, offset: 0 }) },
  addresses: addresses(SECRET),
  seals: seals([SECRET]),
  waiting: { wait: async () => ({ status: 'pending' }) },
  clock: systemClock,
}
const submit = submitter(parts)
const serve = httpFunction(publisher({ domains, callerOf, ...parts }, submit))

const address = '127.0.0.1'
await startGrpc({
  port: Number(process.env.GRPC_PORT),
  address,
  protos: await findProtos(),
  methods: methods(domains, callerOf, submit),
  maxMessageBytes: MAX_EVENT_BYTES,
})
await startHost({
  port: Number(process.env.PORT),
  address,
  maxBodyBytes: 1_048_576,
  mounts: [{ kind: 'http', name: 'publish', accepts: () => true, serve }],
  checks: {},
})
