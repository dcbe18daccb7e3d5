import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { DEFAULT_SITE } from './default-site.ts'

const schema = z.object({
  CLUSTER: z.string().min(1).default('millrace'),
  /** The context of kubectl, for a cluster that is not kind's. */
  CONTEXT: z.string().min(1).optional(),
  OVERLAY: z.string().min(1).default('knative/overlays/kind'),
  /** The image to run instead of the last local build. */
  IMAGE: z
    .string()
    .regex(/:[^:/@]+$/, 'must have a tag')
    .optional(),
  SITE: z.url().default(DEFAULT_SITE),
  BROKERS: z.string().min(1).default('localhost:30010,localhost:30011,localhost:30012'),
  /** The time limit of each wait in seconds. */
  LIMIT: z.coerce.number().positive().default(600),
  /** no: smoke only sends HTTP requests and kills nothing. */
  FAULTS: z.enum(['yes', 'no']).default('yes'),
  /** The file that total appends to. HISTORY=yes also copies the whole history beside it. */
  FILE: z.string().min(1).optional(),
  HISTORY: z.enum(['yes', 'no']).default('no'),
  /** The repository and branch that Flux follows. */
  REPO: z.url().optional(),
  BRANCH: z.string().min(1).default('main'),
  VERSIONS: z
    .string()
    .min(1)
    .default(() => fileURLToPath(new URL('versions.json', import.meta.url))),
  DOWNLOADS: z.string().min(1).default('.millrace/platform'),
})

export type Settings = z.infer<typeof schema>

export const readSettings = (env: Record<string, string | undefined>): Settings =>
  schema.parse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== '')))
