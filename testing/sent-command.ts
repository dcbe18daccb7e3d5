import { authorize, scopesIn } from '#core/access.ts'
import { toFieldErrors } from '#core/field-errors.ts'
import { ANONYMOUS } from '#core/ids.ts'
import { Problem } from '#core/problem.ts'
import type { Command, CommandType, Domain, Fields } from '#domains/domain.ts'

/** A command as a test states it. */
export interface Sent {
  type: string
  data: Fields
  id?: string
  time?: string
  actor?: string
  scopes?: readonly string[]
  organisation?: string
}

/** The members of a command that follow from its place in a test. */
interface Place {
  id: string
  time: string
  offset: number
}

/** The command as rules see it, or the reason for which publish refuses it. Throws if the record of the command is unreadable. */
export function acceptedCommand(domain: Domain, sent: Sent, place: Place): Command | { invalid: string } {
  const { type, actor = ANONYMOUS, organisation } = sent
  const known = domain.commands[type]
  if (!known) throw new Error(`${domain.name} has no command ${type}`)
  const scopes = new Set(sent.scopes ?? (known.scope === undefined ? [] : [known.scope]))
  const caller = { id: actor, scopes, ...(organisation === undefined ? {} : { organisation }) }
  try {
    authorize(known, caller)
    const checked = known.data.safeParse(sent.data)
    if (!checked.success) return { invalid: toFieldErrors(checked.error).detail }
    authorize(known, caller, checked.data)
    const id = sent.id ?? known.id?.(checked.data) ?? place.id
    const time = sent.time ?? place.time
    const data = fromLog(domain, known, checked.data, { id, type, time })
    const stream = known.stream(data, id, actor)
    return { id, type, stream, time, actor, scopes: scopesIn(domain, scopes), offset: place.offset, data }
  } catch (error) {
    if (error instanceof Problem) return { invalid: error.message }
    throw error
  }
}

/** The data as persist reads it from the record that publish writes. */
function fromLog(
  { topic: { record } }: Domain,
  known: CommandType,
  data: Fields,
  command: { id: string; type: string; time: string },
): Fields {
  const value = record ? record.encode(data, command) : JSON.stringify(data)
  const read = known.data.safeParse(record ? record.decode(value, command) : JSON.parse(value))
  if (read.success) return read.data
  throw new Error(`the record of ${command.type} fails its schema: ${toFieldErrors(read.error).detail}`)
}
