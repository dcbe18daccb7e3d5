import { once } from 'node:events'
import { Conflict } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'

/** The changes of one write, until a majority has them. */
export interface Entry {
  changes: { name: string; id: string; before: string | undefined; after: string | undefined }[]
  state: 'primary' | 'majority' | 'gone'
}

/** The primary's documents during an atomic write. */
export interface Primary {
  get(name: string, id: string): string | undefined
  set(name: string, id: string, text: string | undefined): void
  /** Throws `Conflict` if the document exists. */
  insert(name: string, id: string, text: string): void
  /** Throws `Conflict` unless the document has the previous generation. */
  swap(name: string, id: string, generation: number, text: string): void
  /** Throws `Conflict` if the document belongs to another stream, or is missing and to be removed. */
  own(name: string, id: string, stream: string, text: string | undefined): void
}

export interface Replicas {
  write<Result>(work: (primary: Primary) => Result): { entry: Entry; result: Result }
  /** Replicates the entry and all earlier ones to a majority. Throws `Unavailable` if a failover has rolled it back. */
  confirm(entry: Entry): void
  confirmAll(): void
  /** Makes another member primary, which rolls back all writes that no majority has. Returns their number. */
  failover(): number
  /** The documents that a majority has. */
  read(name: string): ReadonlyMap<string, string>
  /** The inserted documents, in the order and with the time of their replication to a majority. */
  inserts: { name: string; id: string; text: string; at: number }[]
  /** Resolves at the next insert, or when `signal` aborts. */
  inserted(signal: AbortSignal): Promise<void>
}

/** A MongoDB replica set of three members, from the view of its clients. */
export function replicaSet(now: () => number): Replicas {
  const primary = new Map<string, Map<string, string>>()
  const majority = new Map<string, Map<string, string>>()
  const inserts: Replicas['inserts'] = []
  const onInsert = new EventTarget()
  let oplog: Entry[] = []

  function of(member: typeof primary, name: string): Map<string, string> {
    const known = member.get(name)
    if (known) return known
    const made = new Map<string, string>()
    member.set(name, made)
    return made
  }

  function put(member: typeof primary, name: string, id: string, text: string | undefined): void {
    if (text === undefined) of(member, name).delete(id)
    else of(member, name).set(id, text)
  }

  function undo({ changes }: Entry): void {
    for (const { name, id, before } of changes.toReversed()) put(primary, name, id, before)
  }

  function confirm(entry: Entry): void {
    if (entry.state === 'gone') throw new Unavailable('store', 'a failover rolled it back')
    if (entry.state === 'majority') return
    for (const confirmed of oplog.splice(0, oplog.indexOf(entry) + 1)) {
      confirmed.state = 'majority'
      for (const { name, id, before, after } of confirmed.changes) {
        put(majority, name, id, after)
        if (before === undefined && after !== undefined) inserts.push({ name, id, text: after, at: now() })
      }
    }
    onInsert.dispatchEvent(new Event('insert'))
  }

  return {
    write(work) {
      const entry: Entry = { changes: [], state: 'primary' }
      const get = (name: string, id: string) => of(primary, name).get(id)
      const set = (name: string, id: string, after: string | undefined) => {
        entry.changes.push({ name, id, before: get(name, id), after })
        put(primary, name, id, after)
      }
      try {
        const result = work({
          get,
          set,
          insert(name, id, text) {
            if (get(name, id) !== undefined) throw new Conflict(`${id} of ${name} exists`)
            set(name, id, text)
          },
          swap(name, id, generation, text) {
            const before = get(name, id)
            const known = before === undefined ? 0 : JSON.parse(before).generation
            if (known !== generation - 1) throw new Conflict(`generation ${generation} of ${id} comes after ${known}`)
            set(name, id, text)
          },
          own(name, id, stream, text) {
            const before = get(name, id)
            const { _stream = stream } = JSON.parse(before ?? '{}')
            if (_stream !== stream) throw new Conflict(`${id} of ${name} belongs to ${_stream}`)
            if (before === undefined && text === undefined) throw new Conflict(`${id} of ${name} is missing`)
            set(name, id, text)
          },
        })
        oplog.push(entry)
        return { entry, result }
      } catch (error) {
        undo(entry)
        throw error
      }
    },
    confirm,
    confirmAll() {
      const last = oplog.at(-1)
      if (last) confirm(last)
    },
    failover() {
      const lost = oplog
      oplog = []
      for (const entry of lost.toReversed()) {
        undo(entry)
        entry.state = 'gone'
      }
      return lost.length
    },
    read: (name) => of(majority, name),
    inserts,
    async inserted(signal) {
      await once(onInsert, 'insert', { signal }).catch(() => undefined)
    },
  }
}
