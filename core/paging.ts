import { z } from 'zod'

/** What every page takes beside its own parameters. */
export const paging = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(50),
  cursor: z.string().min(1).optional(),
})

/** What a page takes that can be asked for by its number. */
export const numbering = (sorts: string[]) =>
  z.object({
    page: z.coerce.number().int().min(0).optional(),
    size: z.coerce.number().int().min(1).max(1000).optional(),
    sort: z.enum(sorts.flatMap((name) => [name, `${name},asc`, `${name},desc`])).optional(),
  })

/** How many items a page by its number has unless said. */
export const USUAL_SIZE = 20
