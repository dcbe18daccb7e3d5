import { z } from 'zod'

/** What every page takes beside its own parameters. */
export const paging = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(50),
  cursor: z.string().min(1).optional(),
})
