import { expect, test } from 'vitest'
import { readSeal, seals, type Vouched } from './seals.ts'

const [first, second] = ['a secret of thirty-two characters', 'another secret of thirty-two chars'] as const
const vouched: Vouched = {
  topic: 'notes',
  id: 'id-1',
  type: 'notes.add',
  time: 1_700_000_000_000,
  stream: 'author/Grüße',
  actor: 'ada',
  scopes: ['notes:write'],
  expectedVersion: 3,
  body: 'a hash',
  value: 'another hash',
}

test('a seal opens to the facts that were sealed, and fits into a header', () => {
  const { seal, open } = seals([first])
  expect(open(seal(vouched))).toEqual({ ok: true, vouched })
  expect(readSeal(seal(vouched))).toEqual(vouched)
  expect(seal(vouched)).toMatch(/^[\w-]{8}\.[\w-]+\.[\w-]{22}$/)
})

test('a seal that was changed in any character, cut or extended is refused', () => {
  const { seal, open } = seals([first])
  const given = seal(vouched)
  for (let at = 0; at < given.length; at++) {
    const changed = given.slice(0, at) + (given[at] === 'x' ? 'y' : 'x') + given.slice(at + 1)
    expect(open(changed), changed).toMatchObject({ ok: false })
    expect(open(given.slice(0, at))).toMatchObject({ ok: false })
  }
  for (const added of ['.', 'x', '.x']) expect(open(given + added)).toMatchObject({ ok: false })
})

test('a seal of another key is refused, and the reason names that key', () => {
  const foreign = seals([second]).seal(vouched)
  expect(seals([first]).open(foreign)).toEqual({
    ok: false,
    reason: `its seal names the unknown key ${foreign.slice(0, 8)}`,
  })
})

test('a new secret seals, and seals of a known old secret stay valid', () => {
  const [before, persist, after] = [seals([first]), seals([first, second]), seals([second, first])]
  for (const made of [before.seal(vouched), after.seal(vouched)]) expect(persist.open(made)).toMatchObject({ ok: true })
  expect(after.open(before.seal(vouched))).toMatchObject({ ok: true })
  expect(seals([second]).open(before.seal(vouched))).toMatchObject({ ok: false })
})
