import { expect, test } from 'vitest'
import { z } from 'zod'
import { PROBES } from '#adapters/host/probes.ts'
import type { AppendDomain, CommandType, Route } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { DEAD_LETTERS_PATH } from '#local/kafka-sources.ts'
import { clashes } from './clashes.ts'

const domain = (name: string, change: Partial<AppendDomain> = {}): AppendDomain => ({
  kind: 'append',
  name,
  topic: { name, partitions: 1 },
  commands: {},
  documents: stored(name),
  queries: [],
  ...change,
})
const stored = (name: string, indexes = {}) => ({ collection: { name, indexes }, document: () => ({}) })
const command = (...routes: Route[]): CommandType => ({ data: z.object({}), stream: () => 'a', routes })
const post = (path: string): Route => ({ method: 'POST', path, body: 'json' })
const get = (path: string, more: Partial<Query> = {}) =>
  ({ answers: 'page', path, index: 'time', shape: () => ({}), ...more }) as Query
const call = { method: 'Notes/Write', read: () => ({}), answer: () => ({}) }

const between = (one: Partial<AppendDomain>, other: Partial<AppendDomain>) =>
  clashes([domain('a', one), domain('b', other)])

test('domains that share nothing do not clash', () => {
  const queries = [get('/api/{x}'), get('/api/b'), get('/api/{x}/{y}')]
  expect(between({ queries }, { commands: { 'b.do': command(post('/api/{x}')) } })).toEqual([])
})

test.each<[Partial<AppendDomain>, Partial<AppendDomain>, string]>([
  [{}, { name: 'a' }, 'domain a: the name clashes with the name of domain a. Choose another name.'],
  [
    {},
    { topic: { name: 'a', partitions: 2 } },
    'domain b: topic a clashes with topic a of domain a. Choose another name.',
  ],
  [
    { topic: { name: 'x.y', partitions: 1 } },
    { topic: { name: 'x_y', partitions: 1 } },
    'domain b: topic x_y clashes with topic x.y of domain a. Choose another name.',
  ],
  [
    {},
    { documents: stored('A') },
    'domain b: collection A clashes with collection a of domain a. Choose another name.',
  ],
  [
    { documents: stored('a', { b: { fields: [] } }) },
    { documents: stored('a_b') },
    'domain b: collection a_b clashes with index b of collection a of domain a. Choose another name.',
  ],
  [
    { commands: { 'x.do': command() } },
    { commands: { 'x.do': command() } },
    'domain b: command x.do clashes with command x.do of domain a. Choose another name.',
  ],
  [
    { commands: { 'a.do': command(post('/x/{y}')) } },
    { commands: { 'b.do': command(post('/x/{z}/')) } },
    'domain b: command b.do, POST /x/{z}/ matches the same requests as command a.do, POST /x/{y} of domain a. Change one of the paths.',
  ],
  [
    { queries: [get('/x/{y}')] },
    { queries: [get('/x/{z}')] },
    'domain b: query GET /x/{z} matches the same requests as query GET /x/{y} of domain a. Change one of the paths.',
  ],
  [
    { commands: { 'a.do': { ...command(), calls: [call] } } },
    { commands: { 'b.do': { ...command(), calls: [call] } } },
    'domain b: method Notes/Write clashes with method Notes/Write of domain a. Choose another name.',
  ],
  [
    { queries: [get('/x', { overview: { part: 'p' } })] },
    { queries: [get('/y', { overview: { part: 'p' } })] },
    'domain b: overview part p clashes with overview part p of domain a. Choose another name.',
  ],
  [
    { queries: [get('/x', { name: 'list' }), get('/y', { name: 'list' })] },
    {},
    'domain a: query name list clashes with query name list of domain a. Choose another name.',
  ],
  [
    { queries: [get('/x', { name: 'do' })], commands: { 'a.do': command() } },
    {},
    'domain a: query name do clashes with command a.do of domain a. Choose another name.',
  ],
])('two parts clash: %#', (one, other, sentence) => {
  expect(between(one, other)).toEqual([sentence])
})

test.each<[Partial<AppendDomain>, string]>([
  [
    { name: 'dead-letters' },
    'domain dead-letters: the name clashes with the domain dead-letters of Millrace itself. Choose another name.',
  ],
  [{ name: 'letters' }, 'domain letters: the name clashes with the name of Millrace itself. Choose another name.'],
  [
    { topic: { name: 'dead-letters', partitions: 1 } },
    'domain a: topic dead-letters clashes with topic dead-letters of Millrace itself. Choose another name.',
  ],
  ...['letters', 'attemptCounts', 'attempts', 'runs', 'redrives'].map((name): [Partial<AppendDomain>, string] => [
    { documents: stored(name) },
    `domain a: collection ${name} clashes with collection ${name} of Millrace itself. Choose another name.`,
  ]),
  [
    { commands: { 'letters.redrive': command() } },
    'domain a: command letters.redrive clashes with command letters.redrive of Millrace itself. Choose another name.',
  ],
  [
    { commands: { 'a.do': command(post('/')) } },
    'domain a: command a.do, POST / matches the same requests as POST / of Millrace itself. Change one of the paths.',
  ],
  [
    { queries: [get('/api/letters/{x}')] },
    'domain a: query GET /api/letters/{x} matches the same requests as GET /api/letters/{id} of Millrace itself. Change one of the paths.',
  ],
  [
    { queries: [get('/docs')] },
    'domain a: query GET /docs matches the same requests as GET /docs of Millrace itself. Change one of the paths.',
  ],
  [
    { queries: [get('/oidc/{x}')] },
    'domain a: query GET /oidc/{x} is not reached, since make dev serves /oidc/ itself. Change the path.',
  ],
])('a domain clashes with Millrace itself: %#', (change, sentence) => {
  expect(clashes([domain('a', change)])).toEqual([sentence])
})

test.each([...PROBES, DEAD_LETTERS_PATH, '/persist'])('the path %s is reserved', (path) => {
  expect(clashes([domain('a', { commands: { 'a.do': command(post(path.replace(/\/$/, '/x'))) } })])).toHaveLength(1)
})
