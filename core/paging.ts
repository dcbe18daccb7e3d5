import { z } from 'zod'

/** The kinds of queries that answer in pages. */
export const PAGED = ['page', 'history']

/** The parameters of every paged query, besides its own. */
export const paging = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(50),
  cursor: z.string().min(1).optional(),
})

/** The parameters of a query that has numbered pages. */
export const numbering = (sorts: string[]) =>
  z.object({
    page: z.coerce.number().int().min(0).optional(),
    size: z.coerce.number().int().min(1).max(1000).optional(),
    sort: z.enum(sorts.flatMap((name) => [name, `${name},asc`, `${name},desc`])).optional(),
  })

/** The default number of items on a numbered page. */
export const DEFAULT_SIZE = 20
