import { expect, test } from 'vitest'
import type { Problem } from './problem.ts'
import { addresses } from './receipts.ts'

const secret = 'a secret of thirty-two characters'
const { sign, verify } = addresses(secret)
const address = { domain: 'tutorials', id: 'id-1', hash: 'hash', time: 1_700_000_000_000 }
const day = 86_400_000

const statusOf = (receipt: string, now = address.time): number => {
  try {
    verify(receipt, now)
  } catch (error) {
    return (error as Problem).status
  }
  return 200
}

test('an address that was given out is known again', () => {
  expect(verify(sign(address), address.time)).toEqual(address)
})

test('an address that was made up, changed in any part, or signed by another is unknown', () => {
  const given = sign(address)
  for (let at = 0; at < given.length; at++) {
    const changed = given.slice(0, at) + (given[at] === 'x' ? 'y' : 'x') + given.slice(at + 1)
    expect(statusOf(changed), changed).toBe(404)
  }
  expect(statusOf('')).toBe(404)
  expect(statusOf('tutorials.id-1.hash.abc')).toBe(404)
  expect(statusOf(addresses(`${secret}!`).sign(address))).toBe(404)
})

test('an address that another secret has signed is known where that secret is', () => {
  const other = addresses(`${secret}!`, secret)
  expect(other.verify(sign(address), address.time)).toEqual(address)
})

test('an address past the horizon is gone', () => {
  expect(statusOf(sign(address), address.time + 30 * day)).toBe(200)
  expect(statusOf(sign(address), address.time + 30 * day + 1)).toBe(410)
})
