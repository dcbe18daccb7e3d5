import type { Change, Command, Event, NewEvent, View } from '../domain.ts'
import type { ThreadContext } from './context.ts'

/** The events of a command, unless a rejection applies. The first one that does gives the reason. */
export interface Rule {
  unless: Rejection[]
  events(command: Command, context: ThreadContext): NewEvent[]
}

/** The reason why a command is rejected, or false if it is not. */
export type Rejection = (context: ThreadContext, command: Command) => string | false

/** The changes that each type of event makes. */
export type Projections = { [type: string]: (event: Event, documents: View) => Change[] }
