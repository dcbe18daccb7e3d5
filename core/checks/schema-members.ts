import type { z } from 'zod'

/** The definition of a schema, with the members that lead to its parts. */
interface Definition {
  type: string
  shape?: object
  catchall?: z.ZodType
  innerType?: z.ZodType
  in?: z.ZodType
  out?: z.ZodType
  options?: z.ZodType[]
  left?: z.ZodType
  right?: z.ZodType
}

/** The types of schemas that change nothing about the members of the schema in them. */
const WRAPPERS = ['optional', 'nullable', 'default', 'prefault', 'nonoptional', 'readonly', 'catch']

/**
 * The members of the objects that a schema accepts or returns. Undefined if they cannot be known: for a transform or a preprocess, an
 * object that takes any member, and a schema that is no object.
 */
export function membersOf(schema: z.ZodType, side: 'in' | 'out'): Set<string> | undefined {
  const definition = schema._zod.def as unknown as Definition
  const { type, shape, catchall, innerType, options, left, right } = definition
  if (type === 'object') return isClosed(catchall) ? new Set(Object.keys(shape ?? {})) : undefined
  const inner = type === 'pipe' ? definition[side] : WRAPPERS.includes(type) ? innerType : undefined
  if (inner) return membersOf(inner, side)
  if (type === 'union') return united(options ?? [], side)
  return type === 'intersection' && left && right ? united([left, right], side) : undefined
}

const isClosed = (catchall: z.ZodType | undefined): boolean =>
  catchall === undefined || (catchall._zod.def as { type: string }).type === 'never'

function united(schemas: z.ZodType[], side: 'in' | 'out'): Set<string> | undefined {
  const parts = schemas.map((schema) => membersOf(schema, side))
  return parts.every((part) => part !== undefined) ? new Set(parts.flatMap((part) => [...part])) : undefined
}
