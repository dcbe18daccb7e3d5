import { z } from 'zod'
import { paging } from '#core/paging.ts'

/** How a value is written; JavaScript would read `1e2`, `0x10` and blanks as numbers too. */
const FORMS: { [type: string]: [form: RegExp, message: string] } = {
  integer: [/^-?\d+$/, 'takes a whole number in decimal digits'],
  number: [/^-?\d+(\.\d+)?$/, 'takes a number in decimal digits'],
  cursor: [/./, 'takes the cursor of a page: leave it out to begin'],
}

const known = new WeakMap<z.ZodObject, Map<string, string>>()

/** The key of its form, by the name of each parameter that has one. */
function formsOf(schema: z.ZodObject): Map<string, string> {
  const found = known.get(schema)
  if (found) return found
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  const typeOf = (name: string, property: unknown) =>
    schema === paging && name === 'cursor' ? 'cursor' : String((property as { type?: unknown }).type)
  const types = Object.entries(properties).map(([name, property]) => [name, typeOf(name, property)] as const)
  const forms = new Map(types.filter(([, type]) => Object.hasOwn(FORMS, type)))
  known.set(schema, forms)
  return forms
}

/** Parameters that are not written as their type is: numbers in other than plain decimal digits, and an empty cursor. */
export function misreadIn(schema: z.ZodObject, given: Record<string, string | undefined>): z.core.$ZodIssue[] {
  return [...formsOf(schema)].flatMap(([name, type]) => {
    const input = given[name]
    const [form, message] = FORMS[type] as (typeof FORMS)[string]
    return input === undefined || form.test(input) ? [] : [{ code: 'custom' as const, path: [name], message, input }]
  })
}
