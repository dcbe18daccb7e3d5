import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { QUERIES } from '#core/checks/query-shapes.ts'
import type { Caller, Command } from '#domains/domain.ts'
import type { CommandOf, EventOf } from '#domains/model.ts'

/** The tables of members in the pages are those of the types. */

type NameOf<T> = T extends string
  ? '`string`'
  : T extends number
    ? '`number`'
    : T extends string[]
      ? '`string[]`'
      : T extends ReadonlySet<string>
        ? '`ReadonlySet<string>`'
        : 'data'
/** The members of a type with the names of their types. The compiler reports one that is missing, or of another type. */
type Members<T> = {
  [Name in keyof T]-?: undefined extends T[Name] ? `${NameOf<Exclude<T[Name], undefined>>}, optional` : NameOf<T[Name]>
}

type Commands = { 'orders.place': { data: Schema } }
type Schema = import('zod').ZodObject<{ sku: import('zod').ZodString }>

const command = {
  id: '`string`',
  type: '`string`',
  stream: '`string`',
  time: '`string`',
  actor: '`string`',
  scopes: '`string[]`',
  offset: '`number`',
  data: 'data',
} as const satisfies Members<Command> & Members<CommandOf<Commands>>

const event = {
  type: '`string`',
  data: 'data',
  stream: '`string`',
  number: '`number`',
  command: '`string`',
  time: '`string`',
  actor: '`string`',
} as const satisfies Members<EventOf<{ 'orders.placed': Schema }>>

const caller = {
  id: '`string`',
  name: '`string`, optional',
  email: '`string`, optional',
  scopes: '`ReadonlySet<string>`',
  organisation: '`string`, optional',
} as const satisfies Members<Caller>

/** The rows of the table whose first heading this is. */
function rowsOf(page: string, heading: string): string[][] {
  const lines = readFileSync(page, 'utf8').split('\n')
  const first = lines.findIndex((line) => line.startsWith(`| ${heading} |`)) + 2
  const end = lines.findIndex((line, at) => at > first && !line.startsWith('|'))
  return lines.slice(first, end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

test.each([
  ['Command', command],
  ['Event', event],
  ['Caller', caller],
])('docs/domains.md has each member of the type %s, with its type', (heading, members) => {
  const rows = rowsOf('docs/domains.md', heading)
  expect(Object.fromEntries(rows.map(([name = '', type]) => [name.replaceAll('`', ''), type]))).toEqual(members)
  for (const [, , meaning] of rows) expect(meaning).toMatch(/\w/)
})

test('docs/queries.md has the members that each kind of query needs', () => {
  const needed = Object.entries(QUERIES).map(([kind, members]) => {
    const own = Object.entries(members).filter(([, { isOptional }]) => !isOptional)
    return [kind, own.map(([name]) => name).filter((name) => !['path', 'answers'].includes(name))]
  })
  const rows = rowsOf('docs/queries.md', 'Kind').map(([kind = '', needs = '']) => [
    /`(\w+)`/.exec(kind)?.[1],
    [...needs.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  ])
  expect(rows).toEqual(needed)
})
