import { z } from 'zod'

const schema = z.object({
  CLUSTER: z.string().min(1).default('millrace'),
  /** kubectl's, where the cluster is not one of kind's. */
  CONTEXT: z.string().min(1).optional(),
  OVERLAY: z.string().min(1).default('knative/overlays/kind'),
  /** The image to run, where it is not the one that was built here. */
  IMAGE: z
    .string()
    .regex(/:[^:/@]+$/, 'must have a tag')
    .optional(),
  SITE: z.url().default('http://localhost:8080'),
  BROKERS: z.string().min(1).default('localhost:30010,localhost:30011,localhost:30012'),
  /** Seconds that each wait may take. */
  LIMIT: z.coerce.number().positive().default(600),
  /** no: smoke leaves the cluster alone and asks only over HTTP. */
  FAULTS: z.enum(['yes', 'no']).default('yes'),
  /** Where total keeps its ledger, and whether it copies the whole history beside it. */
  FILE: z.string().min(1).optional(),
  HISTORY: z.enum(['yes', 'no']).default('no'),
  /** What Flux follows. */
  REPO: z.url().optional(),
  BRANCH: z.string().min(1).default('main'),
  VERSIONS: z.string().min(1).default('deploy/versions.json'),
  DOWNLOADS: z.string().min(1).default('.millrace/platform'),
})

export type Settings = z.infer<typeof schema>

export const readSettings = (env: Record<string, string | undefined>): Settings =>
  schema.parse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== '')))
