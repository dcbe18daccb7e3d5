import type { Command, DecideDomain, Document, Fields, Happening } from '#domains/domain.ts'
import { batchDocuments, project } from '#functions/persist/batch-documents.ts'

/** A command of a test: its type and data; the rest is made up unless it is said. */
export type Asked = { type: string; data: Fields } & Partial<Command>

/** What came of the last command, and the documents as they are then. */
export interface Told {
  events?: Happening[]
  rejected?: string
  document(collection: string, id: string): Document | undefined
}

/**
 * Given commands that were applied, when another one comes, then these events or this rejection: the rules of a decide
 * domain as persist runs them, without store or log. Each command is checked as publish does; one of the given that is
 * rejected fails the test.
 */
export function given(domain: DecideDomain, ...history: Asked[]) {
  return { when: (asked: Asked) => run(domain, [...history, asked]) }
}

async function run(domain: DecideDomain, all: Asked[]): Promise<Told> {
  const commands = all.map((asked, index) => commandOf(domain, asked, index))
  const table = batchDocuments(domain, new Map())
  const versions = new Map<string, number>()
  let last: Pick<Told, 'events' | 'rejected'> = {}
  for (const [index, command] of commands.entries()) {
    const changes = table.begin(domain.touches(command), command.stream)
    const decision = domain.decide(command, changes)
    last = decision
    if ('rejected' in decision) {
      if (index < commands.length - 1) throw new Error(`given ${command.type}: it was rejected: ${decision.rejected}`)
      continue
    }
    const version = versions.get(command.stream) ?? 0
    const { id, time, actor, stream } = command
    const events = decision.events.map((event, at) => ({
      ...event,
      stream,
      number: version + at + 1,
      command: id,
      time,
      actor,
    }))
    versions.set(stream, version + events.length)
    project(domain, events, changes)
    changes.keep()
  }
  const kept = new Map(table.writes().map(({ collection, own = [] }) => [collection.name, own]))
  const document = (collection: string, id: string): Document | undefined => {
    const found = kept.get(collection)?.find(({ _id }) => _id === id)
    if (!found) return undefined
    const { _stream, ...document } = found
    return document as Document
  }
  return { ...last, document }
}

function commandOf(domain: DecideDomain, asked: Asked, index: number): Command {
  const type = domain.commands[asked.type]
  if (!type) throw new Error(`${domain.name} has no command ${asked.type}`)
  const id = asked.id ?? `command-${index + 1}`
  const data = type.data.parse(asked.data)
  const { actor = 'anonymous' } = asked
  const time = new Date(Date.UTC(2030, 0, 1) + index * 1000).toISOString()
  return { id, time, actor, scopes: [], offset: index, stream: type.stream(data, id, actor), ...asked, data }
}
