import type { Change, Command, Decision, Event, View } from '../domain.ts'
import * as accounts from './accounts.ts'
import type { commands } from './commands.ts'
import { hereOf } from './here.ts'
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
  const { unless, happens } = rules[command.type as Type]
  const here = hereOf(command, documents)
  for (const refusal of unless) {
    const reason = refusal(here, command)
    if (reason) return { rejected: reason }
  }
  return { events: happens(command, here) }
}

/** Throws for an event that none of these rules made. */
export function project(event: Event, documents: View): Change[] {
  const projection = projections[event.type]
  if (!projection) throw new Error(`nothing is known of ${event.type}`)
  return projection(event, documents)
}
