import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { storedSchemas } from '#core/registry.ts'
import type { Domain } from '#domains/domain.ts'

/** A sentence for each form of documents and events that differs between two versions of a domain, since what is stored keeps the old one. */
export function storedFormChanges(before: Domain, after: Domain): string[] {
  const [old, now] = [formsOf(before), formsOf(after)]
  const isChanged = (what: string) => old.has(what) && now.has(what) && !isDeepStrictEqual(old.get(what), now.get(what))
  const different = [...now.keys()].filter(isChanged)
  return different.map((what) => `${what} have another form. Those that are stored keep the old one.`)
}

/** The forms of what a domain stores, by what they are in a sentence. */
function formsOf(domain: Domain): Map<string, unknown> {
  const { events, collections } = storedSchemas(domain)
  const schemas = Object.entries(collections).flatMap(([name, { schema }]) => (schema ? [[name, schema] as const] : []))
  return new Map<string, unknown>([
    ...schemas.map(([name, schema]) => [`the documents of ${name}`, formOf(schema)] as const),
    ...Object.entries(events).map(([type, schema]) => [`the events ${type}`, formOf(schema)] as const),
  ])
}

const formOf = (schema: z.ZodType) => z.toJSONSchema(schema, { unrepresentable: 'any' })
