import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { typeErrors } from './type-errors.ts'

let project: string

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'type-errors-'))
})

afterEach(() => rmSync(project, { recursive: true, force: true }))

/** Writes files with these imports, and returns the errors for an output of the compiler that has an error in each line. */
function errorsIn(imports: { [file: string]: string[] }, failing: string[]): string[] {
  for (const [file, targets] of Object.entries(imports)) {
    mkdirSync(dirname(join(project, file)), { recursive: true })
    const lines = targets.map((target) => `import { type A,\n  b } from '${target}'\n`)
    writeFileSync(join(project, file), `import { z } from 'zod'\n${lines.join('')}`)
  }
  const output = failing.map((file, at) => `${file}(${at + 1},7): error TS2322: Wrong.\n  It goes on.\n`).join('')
  const folder = `${relative(process.cwd(), project)}/`
  return typeErrors(output, project).map((error) => error.replaceAll(folder, '').replace(' Wrong.\n  It goes on.', ''))
}

const ORDERS = {
  'orders/domain.ts': ['./rules.ts'],
  'orders/rules.ts': [],
  'orders/rules.test.ts': ['./domain.ts', '../testing.ts'],
  'books/books.test.ts': ['./domain.ts'],
  'books/domain.ts': [],
  'testing.ts': [],
}

test('the errors of files that import one with errors are a line each behind its own', () => {
  const test = 'orders/rules.test.ts'
  const failing = ['books/books.test.ts', test, test, test, 'orders/rules.ts', 'orders/domain.ts', 'orders/rules.ts']
  expect(errorsIn(ORDERS, failing)).toEqual([
    'books/books.test.ts:1:7',
    'orders/rules.ts:5:7',
    'orders/rules.ts:7:7',
    'and 3 errors in orders/rules.test.ts, which imports orders/rules.ts',
    'and 1 error in orders/domain.ts, which imports orders/rules.ts',
  ])
})

test('errors of tests are whole if nothing that they import has any', () => {
  const failing = ['orders/rules.test.ts', 'books/domain.ts', 'orders/rules.test.ts']
  expect(errorsIn(ORDERS, failing)).toEqual([
    'orders/rules.test.ts:1:7',
    'orders/rules.test.ts:3:7',
    'books/domain.ts:2:7',
  ])
})

test('files that import each other, a test that imports another one and a file that is gone have their errors', () => {
  const circle = {
    'a.ts': ['./b.ts', './a.ts'],
    'b.ts': ['./a.ts'],
    'one.test.ts': ['./two.test.ts', './gone.ts'],
    'two.test.ts': [],
  }
  const failing = ['a.ts', 'b.ts', 'one.test.ts', 'two.test.ts']
  expect(errorsIn(circle, failing)).toEqual(['a.ts:1:7', 'b.ts:2:7', 'one.test.ts:3:7', 'two.test.ts:4:7'])
  expect(errorsIn({ 'c.ts': ['./a.ts'] }, ['c.ts', ...failing.slice(0, 2), 'gone.ts'])).toEqual([
    'a.ts:2:7',
    'and 1 error in c.ts, which imports a.ts',
    'b.ts:3:7',
    'gone.ts:4:7',
  ])
})
