import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { appendLine } from './append-only-file.ts'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ledger-'))
  path = join(dir, 'ledger')
})
afterEach(() => rmSync(dir, { recursive: true }))

test('a line is appended below the others, also with concurrent appends', async () => {
  await appendLine(path, 'first')
  await Promise.all(['second', 'third', 'fourth'].map((line) => appendLine(path, line)))
  const lines = readFileSync(path, 'utf8').split('\n')
  expect(lines[0]).toBe('first')
  expect(lines.slice(1).sort()).toEqual(['', 'fourth', 'second', 'third'])
})

test('given a last line that a crash truncated, then it stays, and the next line is complete', async () => {
  writeFileSync(path, 'first\nsec')
  await appendLine(path, 'third')
  expect(readFileSync(path, 'utf8')).toBe('first\nsec\nthird\n')
})
