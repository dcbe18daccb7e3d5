import { z } from 'zod'
import { paging } from '#core/paging.ts'

/** The formats of parameters. JavaScript would also read `1e2`, `0x10` and blanks as numbers. */
const FORMATS: { [type: string]: [format: RegExp, message: string] } = {
  integer: [/^-?\d+$/, 'must be a whole number in decimal digits'],
  number: [/^-?\d+(\.\d+)?$/, 'must be a number in decimal digits'],
  cursor: [/./, 'must be the cursor of a page: leave it out to begin'],
}

const known = new WeakMap<z.ZodObject, Map<string, string>>()

/** The names of a schema's parameters that have a format, with the key of the format. */
function formatsOf(schema: z.ZodObject): Map<string, string> {
  const found = known.get(schema)
  if (found) return found
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  const typeOf = (name: string, property: unknown) =>
    schema === paging && name === 'cursor' ? 'cursor' : String((property as { type?: unknown }).type)
  const types = Object.entries(properties).map(([name, property]) => [name, typeOf(name, property)] as const)
  const formats = new Map(types.filter(([, type]) => Object.hasOwn(FORMATS, type)))
  known.set(schema, formats)
  return formats
}

/** An issue for each number that is not in plain decimal digits, and for an empty cursor. */
export function malformedIn(schema: z.ZodObject, params: Record<string, string | undefined>): z.core.$ZodIssue[] {
  return [...formatsOf(schema)].flatMap(([name, type]) => {
    const input = params[name]
    const [format, message] = FORMATS[type] as (typeof FORMATS)[string]
    return input === undefined || format.test(input) ? [] : [{ code: 'custom' as const, path: [name], message, input }]
  })
}
