import { http } from '@google-cloud/functions-framework'
import { guarded } from '#adapters/host/framework.ts'
import { httpFunction } from '#adapters/host/http.ts'
import { bodyLimits } from '#core/registry.ts'
import { parts, submit } from '#main/publishing.ts'
import { publisher } from './publisher.ts'

export const maxBodyBytes = bodyLimits(parts.domains)

/** client --HTTP--> publish --CloudEvent--> log */
export const publish = httpFunction(publisher(parts, submit), parts)

const { MAX_BODY_BYTES } = parts.settings
http(
  'publish',
  guarded(publish, (method, path) => maxBodyBytes(method, path) ?? MAX_BODY_BYTES, parts),
)
