import { ANONYMOUS, derivedId, newId } from '#core/ids.ts'
import { Problem } from '#core/problem.ts'
import type { Address, Addresses } from '#core/receipts.ts'
import type { KnownType } from '#core/registry.ts'
import type { Caller, Fields } from '#domains/domain.ts'
import { readKey } from './parse-request.ts'
import type { Submission } from './submit.ts'

interface Identity {
  id: string
  /** The name under which this instance remembers what the key was used for. Absent without a key: nothing repeats it. */
  use?: string
  /** The Idempotency-Key that stands for this command alone, where the client has one. */
  key?: string
  /** The command that the key is known to stand for: a receipt's address says so. */
  first?: Address
}

export interface Identifying {
  known: KnownType
  data: Fields
  caller: Caller
  submission: Submission
  expectedVersion: number | undefined
  time: number
}

export type Identify = (command: Identifying) => Identity

/**
 * The command's id: new, or the one that this caller's key stands for in this domain. The body's own key goes first, and is the
 * same in whatever line; a key of the request is another one for each line.
 */
export const commandIds =
  (addresses: Addresses): Identify =>
  (command) => {
    const { known, data, submission, time } = command
    const { line = 0 } = submission
    const chosen = chosenId(known, data)
    if (chosen !== undefined) return { id: chosen, use: chosen }
    // First, since a key that can't be read is refused even where another one goes before it.
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
 * Each caller with a token has keys of its own. Anonymous callers can't be told apart, so the body belongs to their key: with the
 * same body it is the same command, whoever sends it, and with another body it is another command, so that nobody can take a
 * key from somebody else. This instance remembers their keys by the address that they come from.
 */
function keyed(command: Identifying, key: string | string[], line: number): Identity {
  const { known, data, caller, submission, expectedVersion } = command
  const scope = [known.domain.name, caller.id, key, line]
  if (caller.id !== ANONYMOUS) {
    const id = derivedId(...scope)
    return { id, use: id }
  }
  const id = derivedId(...scope, known.type, JSON.stringify(data), String(expectedVersion))
  return { id, use: submission.from === undefined ? id : derivedId(...scope, submission.from) }
}

/** Not a UUID, and nothing that a receipt's address can't have in it. */
const CHOSEN = /^(?![0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$)[\w-]+$/i

/** The id that the sender of an import chose. It can't be that of another command: those are UUIDs. */
function chosenId({ type, command }: KnownType, data: Fields): string | undefined {
  const id = command.id?.(data)
  if (id !== undefined && !CHOSEN.test(id))
    throw new Error(`${type} takes ${id} from its sender: not of \\w and -, or a UUID as our own ids`)
  return id
}

/** A batch takes no receipt's address as its key: its lines would be one command. Throws 400, and 410 for an expired one. */
export function refuseAddress(submission: Submission, { domain }: KnownType, addresses: Addresses, now: number): void {
  const key = readKey(submission)
  if (key === undefined || addressIn(key, domain.name, addresses, now) === undefined) return
  throw new Problem(400, 'Bad Idempotency-Key', "A receipt's address stands for one command: it is no key of a batch.")
}

/**
 * A receipt's address is a key too: it stands for the command that it was given for, so that one without a key can be
 * repeated: as the path or the URL that an answer has, or as its last segment. None for an ordinary key, though it may look
 * like an address; throws 410 for an address that has expired.
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
