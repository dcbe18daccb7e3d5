import { http } from '@google-cloud/functions-framework'
import { withRequestChecks } from '#adapters/host/functions-framework.ts'
import { httpFunction } from '#adapters/host/http.ts'
import { findDomains } from '#main/find-domains.ts'
import { wirePublish } from '#main/publish-wiring.ts'
import { bodyLimits } from './parse-request.ts'
import { publisher } from './publisher.ts'

const { parts, submit } = await wirePublish(await findDomains())

export const maxBodyBytes = bodyLimits(parts.domains)

/** client --HTTP--> publish --CloudEvent--> log */
export const publish = httpFunction(publisher(parts, submit), parts)

const { MAX_BODY_BYTES } = parts.settings
http(
  'publish',
  withRequestChecks(publish, (method, path) => maxBodyBytes(method, path) ?? MAX_BODY_BYTES, parts),
)
