import type { Command, Domain, Fields } from '#domains/domain.ts'
import letters from './domain.ts'

/** What an operator wants done about letters. */
export type LetterAction = { kind: 'redrive'; chosen: Fields } | { kind: 'discard'; letter: string; reason: string }

/** True for a domain whose commands act on letters. */
export const actsOnLetters = ({ name }: Pick<Domain, 'name'>): boolean => name === letters.name

export const letterActionOf = ({ type, data }: Pick<Command, 'type' | 'data'>): LetterAction =>
  type === 'letters.redrive'
    ? { kind: 'redrive', chosen: data }
    : { kind: 'discard', letter: String(data.id), reason: String(data.reason) }

/** True for a letter that a redrive of these letters includes. One from before the horizon must be named by its id. */
export function isChosen(letter: Fields, { id, domain, stream, error, from, to }: Fields): boolean {
  if (id !== undefined) return true
  return (
    letter.isPast !== true &&
    (domain === undefined || letter.domain === domain) &&
    (stream === undefined || letter.stream === stream) &&
    (error === undefined || String(letter.error).includes(String(error))) &&
    (from === undefined || String(letter.at) >= String(from)) &&
    (to === undefined || String(letter.at) < String(to))
  )
}
