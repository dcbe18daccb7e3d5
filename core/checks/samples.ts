import { z } from 'zod'
import type { Fields } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { namesIn } from '../request.ts'

/** Texts of the forms that parameters usually have. */
const TEXTS = [
  'sample',
  '1',
  'true',
  '2026-01-02',
  '2026-01-02T03:04:05.000Z',
  'sample@example.org',
  'https://example.org/',
  '00000000-0000-4000-8000-000000000000',
  '0123456789abcdef01234567',
]

type Raw = { [name: string]: string }

/**
 * Parameters that clients may send to a query, as its functions get them: each parameter absent and present, and each value of an
 * enum. The schema accepts all of them, so a function that is wrong for one of them is wrong for a client. There are no samples if the
 * schema accepts none.
 */
export function samplesOf(query: Query): Fields[] {
  const params = ('params' in query && query.params) || z.object({})
  const path: Raw = Object.fromEntries(namesIn(query.path).map((name) => [name, 'sample']))
  const candidates = Object.entries(params.shape).map(([name, schema]) => candidateOf(name, schema as z.ZodType))
  const least = chosen(candidates.filter(({ name, isOptional }) => name in path || !isOptional))
  const most = chosen(candidates)
  const raws = [
    least,
    most,
    ...candidates.flatMap(({ name, values }) =>
      values.flatMap((value) => [
        { ...least, [name]: value },
        { ...most, [name]: value },
      ]),
    ),
  ]
  const sorts = 'numbered' in query && query.numbered ? Object.values(query.numbered.sorts ?? {}) : []
  return raws.flatMap((raw) =>
    [{}, ...sorts].flatMap((sort) => {
      const given = Object.entries(raw).filter(([name]) => !Object.hasOwn(sort, name))
      const accepted = acceptedBy(params, Object.fromEntries(given))
      return accepted ? [{ ...path, ...(accepted.data as Fields), ...sort }] : []
    }),
  )
}

/** What the schema makes of a value. Undefined if it refuses it, or throws, as an asynchronous one does. */
function acceptedBy(schema: z.ZodType, value: unknown): { data: unknown } | undefined {
  try {
    const { success, data } = schema.safeParse(value)
    return success ? { data } : undefined
  } catch {
    return undefined
  }
}

interface Candidate {
  name: string
  isOptional: boolean
  /** Values that the schema accepts: all of an enum, else the first text of a usual form. */
  values: string[]
}

function candidateOf(name: string, schema: z.ZodType): Candidate {
  const accepted = (texts: string[]) => texts.filter((text) => acceptedBy(schema, text))
  const listed = accepted([...(schema._zod.values ?? [])].map(String))
  const values = listed.length > 0 ? listed : accepted(TEXTS).slice(0, 1)
  return { name, isOptional: schema._zod.optin === 'optional', values }
}

/** The first value of each parameter. */
const chosen = (candidates: Candidate[]): Raw =>
  Object.fromEntries(candidates.flatMap(({ name, values: [value] }) => (value === undefined ? [] : [[name, value]])))
