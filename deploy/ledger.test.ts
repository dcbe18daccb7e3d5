import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { append } from './ledger.ts'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ledger-'))
  path = join(dir, 'ledger')
})
afterEach(() => rmSync(dir, { recursive: true }))

test('a line goes below those that are there, whoever else appends', async () => {
  await append(path, 'first')
  await Promise.all(['second', 'third', 'fourth'].map((line) => append(path, line)))
  const lines = readFileSync(path, 'utf8').split('\n')
  expect(lines[0]).toBe('first')
  expect(lines.slice(1).sort()).toEqual(['', 'fourth', 'second', 'third'])
})

test('given a last line that a crash cut off, then it stays as it is, and the next one is whole', async () => {
  writeFileSync(path, 'first\nsec')
  await append(path, 'third')
  expect(readFileSync(path, 'utf8')).toBe('first\nsec\nthird\n')
})
