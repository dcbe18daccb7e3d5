import type { Command, DecideDomain, Document, Fields, NewEvent } from '#domains/domain.ts'
import { batchDocuments, project } from '#functions/persist/batch-documents.ts'

/** A command of a test. Members that are left out have default values. */
export type TestCommand = { type: string; data: Fields } & Partial<Command>

/** The decision on the last command, and the documents after it. */
export interface Outcome {
  events?: NewEvent[]
  rejected?: string
  document(collection: string, id: string): Document | undefined
}

/**
 * Given applied commands, when another command arrives, then it has this outcome. Runs the rules of a decide domain as persist
 * does, without a store or a log, and validates each command as publish does. Throws if a given command is rejected.
 */
export function given(domain: DecideDomain, ...history: TestCommand[]) {
  return { when: (command: TestCommand) => run(domain, [...history, command]) }
}

async function run(domain: DecideDomain, history: TestCommand[]): Promise<Outcome> {
  const commands = history.map((command, index) => complete(domain, command, index))
  const table = batchDocuments(domain, new Map())
  const versions = new Map<string, number>()
  let last: Pick<Outcome, 'events' | 'rejected'> = {}
  for (const [index, command] of commands.entries()) {
    const changes = table.begin(domain.touches(command), command.stream)
    const decision = domain.decide(command, changes)
    last = decision
    if ('rejected' in decision) {
      if (index < commands.length - 1)
        throw new Error(`the given command ${command.type} was rejected: ${decision.rejected}`)
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

/** The command with an id, a time, an actor and a stream. */
function complete(domain: DecideDomain, given: TestCommand, index: number): Command {
  const type = domain.commands[given.type]
  if (!type) throw new Error(`${domain.name} has no command ${given.type}`)
  const id = given.id ?? `command-${index + 1}`
  const data = type.data.parse(given.data)
  const { actor = 'anonymous' } = given
  const time = new Date(Date.UTC(2030, 0, 1) + index * 1000).toISOString()
  return { id, time, actor, scopes: [], offset: index, stream: type.stream(data, id, actor), ...given, data }
}
