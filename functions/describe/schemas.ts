import { z } from 'zod'

export type Schema = { [keyword: string]: unknown }

/** `draft-7` is the default of AsyncAPI, `draft-2020-12` that of OpenAPI 3.1. */
export type Dialect = 'draft-2020-12' | 'draft-7'

export interface Schemas {
  /** Names the input of a schema, and returns a reference to it. */
  input(name: string, schema: z.ZodType): Schema
  /** Names the output of a schema, and returns a reference to it. A schema keeps its first name. */
  output(name: string, schema: z.ZodType): Schema
  /** Names a schema that no domain declares, and returns a reference to it. */
  add(name: string, schema: Schema): Schema
  /** The schema of an object, without a name. */
  members(schema: z.ZodType): Schema & { properties: { [name: string]: Schema }; required: string[] }
  /** All schemas that have a name. */
  all: { [name: string]: Schema }
}

const HOME = '#/components/schemas/'

/** The schemas that a description refers to, converted from those of the domains. */
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

  /** The JSON schema, with references to the place that it will have in the description. */
  function converted(schema: z.ZodType, io: 'input' | 'output', name: string): Schema {
    const options = { io, target: dialect, unrepresentable: 'any', override: simplify } as const
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
    input: (name, schema) => named(name, schema, 'input'),
    output: (name, schema) => named(name, schema, 'output'),
    members(schema) {
      const { properties = {}, required = [], ...more } = converted(schema, 'input', '')
      return { ...more, properties, required } as ReturnType<Schemas['members']>
    },
  }
}

/** Removes the long pattern of a date, which its format implies, and the bounds of JavaScript's integers. */
function simplify({ jsonSchema }: { jsonSchema: Schema }): void {
  if (jsonSchema.format === 'date-time') {
    if (String(jsonSchema.pattern).endsWith('(?:Z))$')) jsonSchema.pattern = 'Z$'
    else delete jsonSchema.pattern
  }
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}
