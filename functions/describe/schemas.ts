import { z } from 'zod'

export type Schema = { [keyword: string]: unknown }

/** `draft-7` is what AsyncAPI takes without being told, `draft-2020-12` what OpenAPI 3.1 takes. */
export type Dialect = 'draft-2020-12' | 'draft-7'

export interface Schemas {
  /** A reference to what clients send, which goes by this name from now on. */
  sent(name: string, schema: z.ZodType): Schema
  /** A reference to what is answered. The same schema has one name, the first. */
  answered(name: string, schema: z.ZodType): Schema
  /** Ours, that no domain declares. */
  add(name: string, schema: Schema): Schema
  /** What a schema says of its members, without a name. */
  members(schema: z.ZodType): Schema & { properties: { [name: string]: Schema }; required: string[] }
  /** All that has a name. */
  all: { [name: string]: Schema }
}

const HOME = '#/components/schemas/'

/** The schemas that a description refers to, made of the domains' own. */
export function schemasIn(dialect: Dialect): Schemas {
  const all: { [name: string]: Schema } = {}
  const names = new Map<z.ZodType, string>()
  const refer = (name: string): Schema => ({ $ref: `${HOME}${name}` })

  function add(name: string, schema: Schema): Schema {
    all[name] = schema
    return refer(name)
  }

  function named(name: string, schema: z.ZodType, io: 'input' | 'output'): Schema {
    const known = names.get(schema)
    if (known !== undefined) return refer(known)
    names.set(schema, name)
    const { $defs, definitions, ...own } = converted(schema, io, name)
    for (const [inner, part] of Object.entries({ ...($defs ?? {}), ...(definitions ?? {}) })) {
      all[`${name}.${inner}`] = part as Schema
    }
    return add(name, own)
  }

  /** Its references lead to where it will lie. */
  function converted(schema: z.ZodType, io: 'input' | 'output', name: string): Schema {
    const options = { io, target: dialect, unrepresentable: 'any', override: readable } as const
    const { $schema: _, ...json } = z.toJSONSchema(schema, options) as Schema
    return JSON.parse(
      JSON.stringify(json, (key, value) =>
        key === '$ref'
          ? value.replace(/^#\/(\$defs|definitions)\//, `${HOME}${name}.`).replace(/^#$/, HOME + name)
          : value,
      ),
    )
  }

  return {
    all,
    add,
    sent: (name, schema) => named(name, schema, 'input'),
    answered: (name, schema) => named(name, schema, 'output'),
    members(schema) {
      const { properties = {}, required = [], ...more } = converted(schema, 'input', '')
      return { ...more, properties, required } as ReturnType<Schemas['members']>
    },
  }
}

/** Zod says of a date in half a screen what the format says too, and of every integer how far JavaScript counts. */
function readable({ jsonSchema }: { jsonSchema: Schema }): void {
  if (jsonSchema.format === 'date-time') {
    if (String(jsonSchema.pattern).endsWith('(?:Z))$')) jsonSchema.pattern = 'Z$'
    else delete jsonSchema.pattern
  }
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}
