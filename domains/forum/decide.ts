import type { Change, Command, Decision, Event, View } from '../domain.ts'
import * as accounts from './accounts.ts'
import type { commands } from './commands.ts'
import { readContext } from './context.ts'
import * as moderation from './moderation.ts'
import * as posts from './posts.ts'
import type { Projections, Rule } from './rule.ts'
import * as threads from './threads.ts'
import * as votes from './votes.ts'

type Type = keyof typeof commands

const rules: { [type in Type]: Rule } = {
  ...threads.rules,
  ...posts.rules,
  ...votes.rules,
  ...moderation.rules,
  ...accounts.rules,
}

const projections: Projections = {
  ...threads.projections,
  ...posts.projections,
  ...votes.projections,
  ...moderation.projections,
  ...accounts.projections,
}

export function decide(command: Command, documents: View): Decision {
  const { unless, events } = rules[command.type as Type]
  const context = readContext(command, documents)
  for (const rejection of unless) {
    const reason = rejection(context, command)
    if (reason) return { rejected: reason }
  }
  return { events: events(command, context) }
}

/** Throws for an event of an unknown type. */
export function project(event: Event, documents: View): Change[] {
  const projection = projections[event.type]
  if (!projection) throw new Error(`unknown event type ${event.type}`)
  return projection(event, documents)
}
