/** What the operator wants of the letters. */
export type Asked =
  | { what: 'list' }
  | { what: 'show'; id: string }
  | { what: 'redrive'; choice: Choice }
  | { what: 'discard'; id: string; reason: string }

/** Which letters, in the words of `POST /api/letters/redrive`. */
export type Choice = { [Key in (typeof KEYS)[number]]?: string }

const KEYS = ['id', 'domain', 'stream', 'error', 'from', 'to'] as const

export const USAGE = `
  make letters                                     all of them, the oldest first
  make letters SHOW=<id>                           one, with its event
  make letters REDRIVE=<id>                        tries it again; a parked stream from its first letter on
  make letters REDRIVE='domain=sums stream=sum/42' or any of domain, stream, error (a part of it), from, to (UTC)
  make letters REDRIVE=ALL                         every letter there is
  make letters DISCARD=<id> REASON='...'           gives one up; its command's receipt says rejected

TOKEN=... says who asks (an administrator; make token has one of make dev), SITE=http://... where (http://localhost:8080), LIMIT= how many seconds to wait for an outcome (60), JSON=1 prints JSON.
`

/** Throws an error that says what can't be understood. */
export function readAsked([what, ...rest]: string[]): Asked {
  switch (what) {
    case undefined:
      return { what: 'list' }
    case 'show':
      if (rest.length === 1 && rest[0]) return { what, id: rest[0] }
      throw new Error('show takes one id')
    case 'redrive':
      return { what, choice: readChoice(rest.join(' ').trim()) }
    case 'discard': {
      const [id, ...words] = rest
      const reason = words.join(' ').trim()
      if (id && reason) return { what, id, reason }
      throw new Error('discard takes an id and a REASON')
    }
    default:
      throw new Error(`there is no ${what}`)
  }
}

/** Where a key begins; what is between two of them is a value, which may have blanks in it. */
const KEY = new RegExp(`(?:^|\\s+)(?=(?:${KEYS.join('|')})=)`)

function readChoice(text: string): Choice {
  if (text === 'ALL') return { from: new Date(0).toISOString() }
  if (!text.includes('=') && /^\S+$/.test(text)) return { id: text }
  const choice: Choice = {}
  for (const part of text.split(KEY).filter((part) => part !== '')) {
    const [name = '', value = ''] = [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1).trim()]
    const key = KEYS.find((key) => key === name)
    if (!key || value === '') throw new Error(`${part} is not one of ${KEYS.map((key) => `${key}=`).join(' ')}`)
    if (choice[key] !== undefined) throw new Error(`${key} is there twice`)
    choice[key] = key === 'from' || key === 'to' ? instant(value) : value
  }
  if (Object.keys(choice).length === 0) throw new Error('redrive takes an id, a choice, or ALL')
  return choice
}

/** A day, or a day and a time; UTC where nothing else is said. */
function instant(text: string): string {
  const isZoned = /T.*(Z|[+-]\d\d:?\d\d)$/.test(text)
  const time = new Date(isZoned || !text.includes('T') ? text : `${text}Z`)
  if (!/^\d{4}-\d\d-\d\d(T|$)/.test(text) || Number.isNaN(time.getTime())) {
    throw new Error(`${text} is no time, such as 2026-11-21 or 2026-11-21T02:30`)
  }
  return time.toISOString()
}
