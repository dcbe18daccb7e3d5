/** An operation on letters. */
export type LettersCommand =
  | { what: 'list' }
  | { what: 'show'; id: string }
  | { what: 'redrive'; choice: LetterFilter }
  | { what: 'discard'; id: string; reason: string }

/** A selection of letters, with the field names of `POST /api/letters/redrive`. */
export type LetterFilter = { [Key in (typeof KEYS)[number]]?: string }

const KEYS = ['id', 'domain', 'stream', 'error', 'from', 'to'] as const

export const USAGE = `
  make letters                                     lists all letters, the oldest first
  make letters SHOW=<id>                           shows a letter with its event
  make letters REDRIVE=<id>                        tries a letter again; in a parked stream it starts with the first letter
  make letters REDRIVE='domain=sums stream=sum/42' selects letters by domain, stream, error (a part of it), from, to (UTC)
  make letters REDRIVE=all                         tries every letter again
  make letters DISCARD=<id> REASON='...'           discards a letter; the receipt of its command says rejected

TOKEN=... is an administrator's token (for make dev, make token prints one). SITE=http://... is the site (http://localhost:8080). LIMIT= is the number of seconds to wait for an outcome (60). JSON=1 prints JSON.
`

/** Throws an error that names the wrong argument. */
export function parseArguments([what, ...rest]: string[]): LettersCommand {
  switch (what) {
    case undefined:
      return { what: 'list' }
    case 'show':
      if (rest.length === 1 && rest[0]) return { what, id: rest[0] }
      throw new Error('show takes one id')
    case 'redrive':
      return { what, choice: parseFilter(rest.join(' ').trim()) }
    case 'discard': {
      const [id, ...words] = rest
      const reason = words.join(' ').trim()
      if (id && reason) return { what, id, reason }
      throw new Error('discard takes an id and a REASON')
    }
    default:
      throw new Error(`unknown operation ${what}`)
  }
}

/** The start of a key. The text between two keys is a value, which may contain blanks. */
const KEY = new RegExp(`(?:^|\\s+)(?=(?:${KEYS.join('|')})=)`)

function parseFilter(text: string): LetterFilter {
  if (/^all$/i.test(text)) return { from: new Date(0).toISOString() }
  if (!text.includes('=') && /^\S+$/.test(text)) return { id: text }
  const choice: LetterFilter = {}
  for (const part of text.split(KEY).filter((part) => part !== '')) {
    const [name = '', value = ''] = [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1).trim()]
    const key = KEYS.find((key) => key === name)
    if (!key || value === '') throw new Error(`${part} is not one of ${KEYS.map((key) => `${key}=`).join(' ')}`)
    if (choice[key] !== undefined) throw new Error(`${key} occurs twice`)
    choice[key] = key === 'from' || key === 'to' ? instant(value) : value
  }
  if (Object.keys(choice).length === 0) throw new Error('redrive takes an id, a selection, or all')
  return choice
}

/** A date, or a date and a time; UTC unless it has a time zone. */
function instant(text: string): string {
  const isZoned = /T.*(Z|[+-]\d\d:?\d\d)$/.test(text)
  const time = new Date(isZoned || !text.includes('T') ? text : `${text}Z`)
  if (!/^\d{4}-\d\d-\d\d(T|$)/.test(text) || Number.isNaN(time.getTime())) {
    throw new Error(`${text} is not a time such as 2026-11-21 or 2026-11-21T02:30`)
  }
  return time.toISOString()
}
