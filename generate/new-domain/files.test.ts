import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { domainFiles, nextSteps } from './files.ts'
import { KINDS, nameMistake } from './name.ts'

const [SHORTEST, LONGEST] = ['x', 'x'.repeat(30)]

/** The text as the formatter prints it. */
const formatted = (path: string, input: string): string =>
  spawnSync('node_modules/.bin/biome', ['format', `--stdin-file-path=${path}`], { input, encoding: 'utf8' }).stdout

test.each(KINDS.flatMap((kind) => [SHORTEST, LONGEST].map((name) => ({ kind, name }))))(
  'the files of the $kind domain $name are formatted',
  ({ kind, name }) => {
    const { domain, test } = domainFiles(name, kind)
    expect(formatted(`domains/${name}/domain.ts`, domain)).toBe(domain)
    expect(formatted(`domains/${name}/${name}.test.ts`, test)).toBe(test)
  },
)

test.each([SHORTEST, LONGEST, 'orders', 'orders2'])('a domain can have the name %s', (name) => {
  expect(nameMistake(name)).toBeUndefined()
})

test.each([
  `${LONGEST}x`,
  '2orders',
  'Orders',
  'new-orders',
  'new_orders',
  'new.orders',
  '../orders',
  'ördërs',
  ' orders',
])('a domain cannot have the name %j', (name) => {
  expect(nameMistake(name)).toMatch(`The name "${name}" must be 1 to 30 lowercase letters and digits`)
})

test.each(['constructor', 'then'])('a domain cannot have the name %s, which JavaScript uses', (name) => {
  expect(nameMistake(name)).toBe(
    `The name "${name}" is reserved, since objects of JavaScript have a member of this name.`,
  )
})

test('without a name the sentence says how to write it', () => {
  expect(nameMistake('')).toBe('The name is missing. Write: make new-domain NAME=orders')
})

test('the next steps name the route of the domain', () => {
  expect(nextSteps('orders')).toContain('curl localhost:8080/api/orders ')
})
