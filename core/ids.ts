import { hash, randomUUID } from 'node:crypto'
import type { Topic } from '#domains/domain.ts'

/** A new UUIDv7. These ids sort by the time of their creation. */
export function newId(now: number): string {
  const time = now.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

/** The id of all callers without a token. */
export const ANONYMOUS = 'anonymous'

/** A UUIDv8 that is the same for the same parts, so that a repeated command has the id of the first. */
export function derivedId(...parts: (string | number | string[])[]): string {
  const hex = hash('sha256', JSON.stringify(parts))
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** A hash of 128 bits that tells a repeated command from another one with the same key. */
export const bodyHash = (type: string, value: string): string =>
  hash('sha256', `${type}\n${value}`, 'base64url').slice(0, 22)

/**
 * The hash of a command's body, which is the value of its record. Some topics stamp more into the value than the data, so there it is the
 * data. A command with another expected version has another body.
 */
export const commandHash = (
  { type, data, value, expectedVersion }: HashedCommand,
  topic: Pick<Topic, 'record'> | undefined,
): string =>
  bodyHash(
    expectedVersion === undefined ? type : `${type} ${expectedVersion}`,
    topic?.record?.stamped ? JSON.stringify(data) : value,
  )

interface HashedCommand {
  type: string
  data: unknown
  /** The value of the command's record. */
  value: string
  expectedVersion?: number | undefined
}
