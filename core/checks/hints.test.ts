import { expect, test } from 'vitest'
import { hint } from './hints.ts'

test.each([
  ['custmer', ['time', 'customer'], ' Did you mean "customer"?'],
  ['cutsomer', ['customer'], ' Did you mean "customer"?'],
  ['Customer', ['custom', 'customer'], ' Did you mean "customer"?'],
  ['tme', ['time'], ' Did you mean "time"?'],
  ['name', ['time'], ' Write "time".'],
  ['orders:import', ['orders:write', 'orders:read'], ' Write one of "orders:write", "orders:read".'],
  ['time', [], ''],
])('a wrong name %s of %j', (name, known, end) => {
  expect(hint(name, known)).toBe(end)
})
