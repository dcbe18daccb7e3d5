import { http } from '@google-cloud/functions-framework'
import { withRequestChecks } from '#adapters/host/functions-framework.ts'
import { config } from '#main/config.ts'
import { findDomains } from '#main/find-domains.ts'
import { wireQuery } from '#main/query-wiring.ts'
import { telemetry } from '#main/telemetry.ts'

/** store --> query --HTTP--> client */
export const query = await wireQuery(await findDomains())

const { MAX_BODY_BYTES } = config()
http(
  'query',
  withRequestChecks(query, () => MAX_BODY_BYTES, telemetry()),
)
