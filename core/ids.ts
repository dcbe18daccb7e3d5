import { hash, randomUUID } from 'node:crypto'
import type { Topic } from '#domains/domain.ts'

/** A UUIDv7: new, and sorted by the time it was made. */
export function newId(now: number): string {
  const time = now.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

/** Whose keys these are while nobody says who they are: all share one scope. */
export const ANONYMOUS = 'anonymous'

/** A UUIDv8 that is the same for the same parts: how a repeated command finds its first. */
export function derivedId(...parts: (string | number | string[])[]): string {
  const hex = hash('sha256', JSON.stringify(parts))
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** Tells a repeated command from another one under the same key. 128 bits. */
export const bodyHash = (type: string, value: string): string =>
  hash('sha256', `${type}\n${value}`, 'base64url').slice(0, 22)

/**
 * The hash of a command's body: of its record's value, which some topics' forms stamp with more than the data. With another
 * expected version it is another body.
 */
export const commandHash = (
  type: string,
  data: unknown,
  value: string,
  topic: Pick<Topic, 'record'> | undefined,
  expectedVersion?: number,
): string =>
  bodyHash(
    expectedVersion === undefined ? type : `${type} ${expectedVersion}`,
    topic?.record?.stamped ? JSON.stringify(data) : value,
  )
