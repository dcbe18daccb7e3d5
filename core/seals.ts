import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'

/** What publish vouches for when it appends a command. persist believes nothing about a command that stands outside of it. */
export interface Vouched {
  topic: string
  id: string
  type: string
  /** When publish accepted the command, in milliseconds since the epoch. */
  time: number
  stream: string
  actor: string
  scopes?: string[]
  /** The version that the client expects the stream to have. */
  expectedVersion?: number
  /** The hash of the command's body, which is that of the record's value unless `value` says otherwise. */
  body: string
  /** The hash of the record's value, where the body is more or less than that. */
  value?: string
}

export type Opened = { ok: true; vouched: Vouched } | { ok: false; reason: string }

export interface Seals {
  seal(vouched: Vouched): string
  open(seal: string): Opened
}

interface Key {
  id: string
  mac: KeyObject
}

const MAC_LENGTH = 22

/**
 * Seals are `keyid.base64url(JSON).mac`, the MAC an HMAC-SHA256 of what stands before it, cut to 128 bits. Key and key id are
 * derived from a secret. The first secret seals; the others are keys that persist knows too, new or old.
 */
export function seals([secret, ...others]: readonly [string, ...string[]]): Seals {
  const own = keyOf(secret)
  const keys = new Map([...others.map(keyOf), own].map(({ id, mac }) => [id, mac]))
  return {
    seal(vouched) {
      const text = `${own.id}.${Buffer.from(JSON.stringify(vouched)).toString('base64url')}`
      return `${text}.${macOf(own.mac, text)}`
    },
    open(seal) {
      const end = seal.lastIndexOf('.')
      const id = seal.slice(0, seal.indexOf('.'))
      const key = keys.get(id)
      if (!key) return { ok: false, reason: `its seal names the key ${id.slice(0, 16)}, which is not known here` }
      const right = Buffer.from(macOf(key, seal.slice(0, end)))
      const given = Buffer.from(seal.slice(end + 1))
      if (given.length !== right.length || !timingSafeEqual(given, right)) {
        return { ok: false, reason: 'its seal is not one of ours' }
      }
      return { ok: true, vouched: readSeal(seal) }
    },
  }
}

/** What a seal says, without a look at its MAC: for a seal that was opened before. */
export const readSeal = (seal: string): Vouched =>
  JSON.parse(Buffer.from(seal.split('.', 2)[1] ?? '', 'base64url').toString('utf8'))

const macOf = (key: KeyObject, text: string): string =>
  createHmac('sha256', key).update(text).digest('base64url').slice(0, MAC_LENGTH)

function keyOf(secret: string): Key {
  const derived = (info: string, bytes: number) => Buffer.from(hkdfSync('sha256', secret, '', info, bytes))
  return {
    id: derived('millrace seal key id', 6).toString('base64url'),
    mac: createSecretKey(derived('millrace seal key', 32)),
  }
}
