import { ANONYMOUS, derivedId, newId } from '#core/ids.ts'
import { Problem } from '#core/problem.ts'
import type { Address, Addresses } from '#core/receipts.ts'
import type { KnownType } from '#core/registry.ts'
import type { Caller, Fields } from '#domains/domain.ts'
import { readKey } from './parse-request.ts'
import type { Submission } from './submit.ts'

interface CommandIdentity {
  id: string
  /** The name under which this instance remembers the use of the key. Absent without a key, because nothing can repeat the command. */
  use?: string
  /** The Idempotency-Key that stands for this command alone, if the client has one. */
  key?: string
  /** The command that the key is known to stand for, when the key is a receipt address. */
  first?: Address
}

export interface IdentifiedBy {
  known: KnownType
  data: Fields
  caller: Caller
  submission: Submission
  expectedVersion: number | undefined
  time: number
}

/**
 * Returns a function that gives a command its id: a new one, or the one that this caller's key stands for in this domain. The key in a
 * body has priority and means the same in every line of a batch. A key of the request is another key for each line.
 */
export const commandIds =
  (addresses: Addresses) =>
  (command: IdentifiedBy): CommandIdentity => {
    const { known, data, submission, time } = command
    const { line = 0 } = submission
    const chosen = chosenId(known, data)
    if (chosen !== undefined) return { id: chosen, use: chosen }
    // This comes first, because an unreadable key is refused even when another one has priority.
    const key = readKey(submission)
    const own = known.command.key?.(data)
    if (own !== undefined) return { ...keyed(command, own, 0), key: own }
    if (submission.key) return keyed(command, submission.key, 0)
    if (key === undefined) return { id: newId(time) }
    const first = addressIn(key, known.domain.name, addresses, time)
    if (first) return { id: first.id, use: first.id, key, first }
    return { ...keyed(command, key, line), ...(line > 0 ? {} : { key }) }
  }

/**
 * Each caller with a token has separate keys. Anonymous callers can't be told apart, so the body belongs to their key: with the same
 * body it is the same command, whoever sends it. With another body it is another command, so nobody can take a key from somebody else.
 * This instance remembers their keys by the address that they come from.
 */
function keyed(command: IdentifiedBy, key: string | string[], line: number): CommandIdentity {
  const { known, data, caller, submission, expectedVersion } = command
  const scope = [known.domain.name, caller.id, key, line]
  if (caller.id !== ANONYMOUS) {
    const id = derivedId(...scope)
    return { id, use: id }
  }
  const id = derivedId(...scope, known.type, JSON.stringify(data), String(expectedVersion))
  return { id, use: submission.from === undefined ? id : derivedId(...scope, submission.from) }
}

/** Not a UUID, and only characters that a receipt address may contain. */
const CHOSEN_ID = /^(?![0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$)[\w-]+$/i

/** The id that the sender of an import chose. It can't equal a generated id, because those are UUIDs. */
function chosenId({ type, command }: KnownType, data: Fields): string | undefined {
  const id = command.id?.(data)
  if (id !== undefined && !CHOSEN_ID.test(id))
    throw new Error(
      `${type} takes the id ${id} from its sender, which is a UUID or has other characters than \\w and -`,
    )
  return id
}

/** Throws 400 for a batch whose key is a receipt address, because its lines would be one command; and 410 for an expired one. */
export function assertNoReceiptKey(
  submission: Submission,
  { domain }: KnownType,
  addresses: Addresses,
  now: number,
): void {
  const key = readKey(submission)
  if (key === undefined || addressIn(key, domain.name, addresses, now) === undefined) return
  const detail = 'A receipt address stands for one command, so it can not be the key of a batch.'
  throw new Problem(400, 'Bad Idempotency-Key', detail)
}

/**
 * A receipt address is a key too: it stands for the command that it was issued for, so a command without a key can be repeated. The
 * key may be the path, the URL or the last segment of the address. Undefined for an ordinary key, even if it looks like an address.
 * Throws 410 for an address that has expired.
 */
function addressIn(key: string, domain: string, addresses: Addresses, now: number): Address | undefined {
  const address = key.slice(key.lastIndexOf('/') + 1)
  if (!address.startsWith(`${domain}.`)) return undefined
  try {
    return addresses.verify(address, now)
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return undefined
    throw error
  }
}
