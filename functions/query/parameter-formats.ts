import { z } from 'zod'
import { paging } from '#core/paging.ts'

/** The formats of parameters. JavaScript would also read `1e2`, `0x10` and blanks as numbers. */
const FORMATS: { [type: string]: [format: RegExp, message: string] } = {
  integer: [/^-?\d+$/, 'must be a whole number in decimal digits'],
  number: [/^-?\d+(\.\d+)?$/, 'must be a number in decimal digits'],
  cursor: [/./, 'must be the cursor of a page: leave it out to begin'],
}

type Format = [name: string, format: RegExp, message: string]

/** The formats of a schema's parameters that have one. */
function formatsOf(schema: z.ZodObject): Format[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  const typeOf = (name: string, property: unknown) =>
    schema === paging && name === 'cursor' ? 'cursor' : String((property as { type?: unknown }).type)
  return Object.entries(properties).flatMap(([name, property]): Format[] => {
    const type = typeOf(name, property)
    return Object.hasOwn(FORMATS, type) ? [[name, ...(FORMATS[type] as (typeof FORMATS)[string])]] : []
  })
}

/**
 * Returns a function that finds an issue for each number that is not in plain decimal digits, and for an empty cursor. It reads the
 * schema at its first call, to keep the start short.
 */
export function malformedIn(schema: z.ZodObject): (params: Record<string, string | undefined>) => z.core.$ZodIssue[] {
  let formats: Format[] | undefined
  return (params) => {
    formats ??= formatsOf(schema)
    const found: z.core.$ZodIssue[] = []
    for (const [name, format, message] of formats) {
      const input = params[name]
      if (input !== undefined && !format.test(input)) found.push({ code: 'custom', path: [name], message, input })
    }
    return found
  }
}
