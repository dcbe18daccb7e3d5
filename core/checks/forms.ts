import type { z } from 'zod'
import { hint, nearest } from './hints.ts'

/** The form that a member must have. */
export interface Form {
  /** The end of "must be". */
  what: string
  is(value: unknown): boolean
  isOptional?: true
  /** True if no other check reads the member. */
  isUnread?: true
}

/** The forms of members, by name. */
export type Forms = { [name: string]: Form }

/** The forms of all members of a part of the contract. The compiler reports a member of the contract that has none. */
export type Shape<Part> = { [Name in keyof Required<Part>]: Form }

export const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const text: Form = { what: 'a text that is not empty', is: (value) => typeof value === 'string' && value !== '' }
export const anyText: Form = { what: 'a text', is: (value) => typeof value === 'string' }
export const flag: Form = { what: 'true or false', is: (value) => typeof value === 'boolean' }
export const positive: Form = {
  isUnread: true,
  what: 'a positive integer',
  is: (value) => Number.isSafeInteger(value) && Number(value) > 0,
}
export const object: Form = { what: 'an object', is: isObject }
export const list: Form = { what: 'a list', is: Array.isArray }
export const texts: Form = { what: 'a list of texts', is: (value) => Array.isArray(value) && value.every(text.is) }
export const schema: Form = { what: 'a schema of zod', is: (value) => isObject(value) && '_zod' in value }
export const objectSchema: Form = {
  what: 'a z.object',
  is: (value) => schema.is(value) && (value as z.ZodType)._zod.def.type === 'object',
}
export const rule = (signature: string): Form => ({
  what: `a function ${signature}`,
  isUnread: true,
  is: (value) => typeof value === 'function',
})
export const optional = (form: Form): Form => ({ ...form, isOptional: true })
export const either = (one: Form, other: Form): Form => ({
  what: `${one.what} or ${other.what}`,
  is: (value) => one.is(value) || other.is(value),
})
export const oneOf = (...values: string[]): Form => ({
  what: `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`,
  is: (value) => values.includes(value as string),
})

/** A sentence for each member that is missing, unknown or of another form. */
export function misshapen(place: string, part: unknown, shape: Forms): string[] {
  if (!isObject(part)) return [`${place}: This must be an object.`]
  const members = part as { [name: string]: unknown }
  const absent = Object.keys(shape).filter((name) => members[name] === undefined)
  const unknown = Object.keys(members)
    .filter((name) => !Object.hasOwn(shape, name) && members[name] !== undefined)
    .map((name) => ({ name, meant: nearest(name, absent) }))
  const wrong = Object.entries(shape).filter(([name, { is, isOptional }]) =>
    members[name] === undefined ? !isOptional && unknown.every(({ meant }) => meant !== name) : !is(members[name]),
  )
  return [
    ...unknown.map(
      ({ name, meant }) => `${place}: "${name}" is unknown.${hint(name, meant === undefined ? absent : [meant])}`,
    ),
    ...wrong.map(
      ([name, { what }]) => `${place}: ${name} ${members[name] === undefined ? 'is missing. It ' : ''}must be ${what}.`,
    ),
  ]
}

/** True if the members that other checks read have their forms. */
export const isReadable = (part: unknown, shape: Forms): boolean =>
  isObject(part) &&
  Object.entries(shape).every(([name, { is, isOptional, isUnread }]) => {
    const value = (part as { [name: string]: unknown })[name]
    return isUnread || (value === undefined ? isOptional : is(value))
  })
