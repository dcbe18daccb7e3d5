import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { people } from './people.ts'

test('docs/identity.md lists the sample people with their roles and organisations', () => {
  const [, section = ''] = readFileSync('docs/identity.md', 'utf8').split('## Sample people')
  const [list = ''] = section.split('\n## ')
  const listed = list.split('\n').filter((line) => /^\| `[^U]/.test(line))
  const code = (text: string) => `\`${text}\``
  const expected = Object.entries(people).map(([id, { name, roles, organisation }]) =>
    ['', code(id), name, roles.map(code).join(', '), organisation ? code(organisation) : '', ''].join(' | '),
  )
  expect(listed).toEqual(expected.map((row) => row.trim().replace('|  |', '| |')))
})
