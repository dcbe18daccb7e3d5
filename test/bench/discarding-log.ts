import { startGrpc } from '#adapters/grpc/server.ts'
import { startHost } from '#adapters/host/host.ts'
import { httpFunction } from '#adapters/host/http.ts'
import { systemClock } from '#core/clock.ts'
import { addresses } from '#core/receipts.ts'
import { seals } from '#core/seals.ts'
import { grpcMethods } from '#functions/publish/grpc-methods.ts'
import { MAX_EVENT_BYTES } from '#functions/publish/parse-request.ts'
import { publisher } from '#functions/publish/publisher.ts'
import { type SubmitParts, submitter } from '#functions/publish/submit.ts'
import { callers } from '#main/callers.ts'
import { config } from '#main/config.ts'
import { findDomains } from '#main/find-domains.ts'
import { findProtos } from '#main/find-protos.ts'
import { quiet } from '../telemetry.ts'

/** publish on our host with a log that discards its records: the cost without the log, for rows b and j. */
const SECRET = 'of a benchmark with thirty-two characters'
const domains = await findDomains()
const callerOf = callers(config(), domains)
const parts: SubmitParts = {
  ...quiet(),
  log: { append: async () => ({ partition: 0, offset: 0 }) },
  addresses: addresses(SECRET),
  seals: seals([SECRET]),
  waiting: { wait: async () => ({ status: 'pending' }) },
  clock: systemClock,
}
const submit = submitter(parts)
const serve = httpFunction(publisher({ domains, callerOf, ...parts }, submit), quiet())

const address = '127.0.0.1'
await startGrpc({
  telemetry: quiet(),
  port: Number(process.env.GRPC_PORT),
  address,
  protos: await findProtos(),
  methods: grpcMethods({ domains, callerOf, clock: systemClock }, submit),
  maxMessageBytes: MAX_EVENT_BYTES,
})
await startHost({
  telemetry: quiet(),
  port: Number(process.env.PORT),
  address,
  maxBodyBytes: 1_048_576,
  mounts: [{ kind: 'http', name: 'publish', serve }],
  checks: {},
})
