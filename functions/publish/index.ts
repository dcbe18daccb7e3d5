import { http } from '@google-cloud/functions-framework'
import { config } from '#adapters/config.ts'
import { guarded } from '#adapters/host/framework.ts'
import { httpFunction } from '#adapters/host/http.ts'
import { bodyLimits } from '../domains.ts'
import { callerOf, domains, parts, submit } from './instance.ts'
import { publisher } from './publisher.ts'

export const maxBodyBytes = bodyLimits(domains)

/** client --HTTP--> publish --CloudEvent--> log */
export const publish = httpFunction(publisher({ domains, callerOf, ...parts }, submit))

const { MAX_BODY_BYTES } = config()
http(
  'publish',
  guarded(publish, (method, path) => maxBodyBytes(method, path) ?? MAX_BODY_BYTES),
)
