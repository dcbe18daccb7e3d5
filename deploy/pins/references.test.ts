import { expect, test } from 'vitest'
import { type Reference, referencesIn, withPins } from './references.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const COMMIT = 'b'.repeat(40)

test.each<[line: string, reference: Reference]>([
  ['          image: mongo:8.0.17', { kind: 'image', name: 'mongo', version: '8.0.17' }],
  ['  - image: quay.io/a/b:26.0.8', { kind: 'image', name: 'quay.io/a/b', version: '26.0.8' }],
  ['    image: host:5000/a:1', { kind: 'image', name: 'host:5000/a', version: '1' }],
  [`  image: mongo:8@${DIGEST}`, { kind: 'image', name: 'mongo', version: '8', pin: DIGEST }],
  ['FROM node:24-slim AS build', { kind: 'image', name: 'node', version: '24-slim' }],
  ['      - uses: actions/checkout@v5', { kind: 'action', name: 'actions/checkout', version: 'v5' }],
  [
    `        uses: actions/checkout@${COMMIT} # v5.0.0`,
    { kind: 'action', name: 'actions/checkout', version: 'v5.0.0', pin: COMMIT },
  ],
])('%s is a reference', (line, reference) => {
  expect(referencesIn(`first: line\n${line}\nlast: line\n`)).toEqual([reference])
})

test.each([
  'image: millrace:dev',
  'image: millrace',
  'image: registry.example.com/millrace:0.1.0',
  'FROM build',
  'uses: ./.github/actions/ours',
  '# image: mongo:8',
])('%s is none of somebody else', (line) => {
  expect(referencesIn(line)).toEqual([])
})

test('a pin comes behind the version of an image, and instead of that of an action', () => {
  const text = 'FROM node:24 AS build\nimage: mongo:8 # why\n- uses: a/b@v5\nimage: millrace\n'
  const filled = withPins(text, (reference) => ({
    ...reference,
    ...(reference.kind === 'image' ? { pin: DIGEST } : { pin: COMMIT, version: 'v5.0.1' }),
  }))
  expect(filled).toBe(
    `FROM node:24@${DIGEST} AS build\nimage: mongo:8@${DIGEST} # why\n- uses: a/b@${COMMIT} # v5.0.1\nimage: millrace\n`,
  )
  expect(withPins(filled, (reference) => reference)).toBe(filled)
})
