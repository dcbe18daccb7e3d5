import { Problem } from '#adapters/host/http.ts'
import type { Caller, Fields } from '#domains/domain.ts'
import type { KnownType } from '../domains.ts'
import { derivedId, newId } from '../ids.ts'
import type { Addresses } from '../receipts.ts'
import { readKey } from './read.ts'
import type { Submission } from './submit.ts'

interface Identity {
  id: string
  /** A repeat has this id again. */
  isKeyed: boolean
  /** The Idempotency-Key that stands for this command alone, where the client has one. */
  key?: string
}

export type Identify = (known: KnownType, data: Fields, caller: Caller, submission: Submission, now: number) => Identity

/**
 * The command's id: new, or the one that this caller's key stands for in this domain. The body's own key goes first, and is the
 * same in whatever line; a key of the request is another one for each line.
 */
export const identifier =
  (addresses: Addresses): Identify =>
  (known, data, caller, submission, now) => {
    const { domain, command } = known
    const { line = 0 } = submission
    const chosen = chosenId(known, data)
    if (chosen !== undefined) return { id: chosen, isKeyed: true }
    const own = command.key?.(data)
    if (own !== undefined) return { id: derivedId(domain.name, caller.id, own, 0), isKeyed: true, key: own }
    if (submission.key) return { id: derivedId(domain.name, caller.id, submission.key, 0), isKeyed: true }
    const key = readKey(submission)
    if (key === undefined) return { id: newId(now), isKeyed: false }
    const id = addressedId(key, domain.name, addresses, now) ?? derivedId(domain.name, caller.id, key, line)
    return { id, isKeyed: true, ...(line > 0 ? {} : { key }) }
  }

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The id that the sender of an import chose. It can't be that of another command: those are UUIDs. */
function chosenId({ type, command }: KnownType, data: Fields): string | undefined {
  const id = command.id?.(data)
  if (id !== undefined && UUID.test(id)) throw new Error(`${type} takes ${id} from its sender, a UUID as our own ids`)
  return id
}

/** A batch takes no receipt's address as its key: its lines would be one command. Throws 400, and 410 for an expired one. */
export function refuseAddress(submission: Submission, { domain }: KnownType, addresses: Addresses, now: number): void {
  const key = readKey(submission)
  if (key === undefined || addressedId(key, domain.name, addresses, now) === undefined) return
  throw new Problem(400, 'Bad Idempotency-Key', "A receipt's address stands for one command: it is no key of a batch.")
}

/**
 * A receipt's address is a key too: it stands for the command that it was given for, so that one without a key can be
 * repeated. None for an ordinary key, though it may look like an address; throws 410 for an address that has expired.
 */
function addressedId(key: string, domain: string, addresses: Addresses, now: number): string | undefined {
  if (!key.startsWith(`${domain}.`)) return undefined
  try {
    return addresses.verify(key, now).id
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return undefined
    throw error
  }
}
