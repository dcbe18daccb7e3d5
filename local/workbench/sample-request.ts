import { z } from 'zod'
import { namesIn } from '#core/request.ts'
import type { CommandType, Domain, Fields, Json, Route } from '#domains/domain.ts'
import { type Person, people } from '../issuer/people.ts'

/** A request that a person can send to try a domain. */
export interface SampleRequest {
  method: string
  path: string
  body: Fields
  /** The person whose token it needs. Absent if it needs none. */
  person?: string
}

/** A request for the first command of a domain that takes JSON and whose schema tells what to send. */
export function sampleRequest(domain: Domain, open: ReadonlySet<string>): SampleRequest | undefined {
  for (const command of Object.values(domain.commands)) {
    if (command.welcome) continue
    const route = command.routes.find(({ body, read, path }) => body === 'json' && !read && namesIn(path).length === 0)
    const sample = route && sampleOf(command, route, { domain, open })
    if (sample) return sample
  }
  return undefined
}

function sampleOf(
  command: CommandType,
  { method, path }: Route,
  { domain, open }: { domain: Domain; open: ReadonlySet<string> },
) {
  const body = dataOf(command)
  if (body === undefined) return undefined
  const { scope, organisation } = command
  if (scope === undefined || (open.has(scope) && !organisation)) return { method, path, body }
  const may = ([, person]: [string, Person]) =>
    person.roles.some((role) => domain.roles?.[role]?.includes(scope)) &&
    (!organisation || organisation(body) === person.organisation)
  const [person] = Object.entries(people).find(may) ?? []
  return person === undefined ? undefined : { method, path, body, person }
}

/** Data that the schema accepts. Undefined if a simple guess is not. */
function dataOf({ data }: CommandType): Fields | undefined {
  try {
    const guess = guessOf('', z.toJSONSchema(data, { io: 'input', unrepresentable: 'any' }) as JsonSchema)
    return data.safeParse(guess).success ? (guess as Fields) : undefined
  } catch {
    return undefined
  }
}

interface JsonSchema {
  type?: string
  const?: Json
  enum?: Json[]
  format?: string
  minimum?: number
  minItems?: number
  items?: JsonSchema
  properties?: { [name: string]: JsonSchema }
  required?: string[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
}

const TEXTS: { [format: string]: string } = {
  email: 'ada@example.org',
  uri: 'https://example.org/',
  uuid: '00000000-0000-4000-8000-000000000000',
  'date-time': '2026-01-02T03:04:05Z',
  date: '2026-01-02',
}

function guessOf(name: string, schema: JsonSchema): Json {
  const { type, properties = {}, required = [], items = {}, minItems = 0 } = schema
  const [one] = schema.anyOf ?? schema.oneOf ?? []
  if (one) return guessOf(name, one)
  if (schema.const !== undefined) return schema.const
  if (schema.enum?.[0] !== undefined) return schema.enum[0]
  switch (type) {
    case 'object':
      return Object.fromEntries(required.map((member) => [member, guessOf(member, properties[member] ?? {})]))
    case 'array':
      return Array.from({ length: minItems }, () => guessOf(name, items))
    case 'integer':
    case 'number':
      return Math.max(1, schema.minimum ?? 1)
    case 'boolean':
      return true
    default:
      return TEXTS[schema.format ?? ''] ?? (name === 'organisation' ? 'acme' : name)
  }
}
