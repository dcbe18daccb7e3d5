import type { Change, Command, Event, Happening, View } from '../domain.ts'
import type { Here } from './here.ts'

/** What happens when a command comes, unless one of these stands against it: the first that does is the reason. */
export interface Rule {
  unless: Refusal[]
  happens(command: Command, here: Here): Happening[]
}

/** Why not, in a few words. */
export type Refusal = (here: Here, command: Command) => string | false

/** What an event changes, by its type. */
export type Projections = { [type: string]: (event: Event, documents: View) => Change[] }
