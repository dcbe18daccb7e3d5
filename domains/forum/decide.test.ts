import { expect, test } from 'vitest'
import type { Command, Document, Event } from '#domains/domain.ts'
import { ada, bob, bobModerates, eve, inKettles, onRed, root } from '#test/forum.ts'
import domain from './domain.ts'

type Documents = Map<string, Document>

const viewOf = (documents: Documents) => ({
  get: (collection: string, id: string) => documents.get(`${collection} ${id}`),
})

function apply(event: Event, documents: Documents): void {
  for (const change of domain.project(event, viewOf(documents))) {
    if ('remove' in change) documents.delete(`${change.collection} ${change.remove}`)
    else documents.set(`${change.collection} ${change.document._id}`, change.document)
  }
}

const history = [
  ...bobModerates,
  ada('forum.votes.cast', onRed({ value: 1 })),
  eve('forum.votes.cast', onRed({ value: -1 })),
  ada('forum.votes.cast', onRed({ value: 0 })),
  bob('forum.posts.edit', onRed({ text: 'The blue one' })),
  ada('forum.bans.add', inKettles({ accountId: 'eve' })),
  bob('forum.moderators.remove', inKettles({ accountId: 'ada' })),
  bob('forum.posts.delete', inKettles({ postId: 'kettles' })),
  bob('forum.accounts.change', { name: 'Bob', email: 'bob@example.org' }),
  root('forum.siteBans.add', { accountId: 'ada' }),
  eve('forum.threads.delete', { threadId: 'pots' }),
]

test('the events of each stream, replayed alone, rebuild all documents', () => {
  const documents: Documents = new Map()
  const events: Event[] = []
  for (const [at, { id = `command-${at}`, type, data, actor = '', scopes = [] }] of history.entries()) {
    const stream = domain.commands[type]?.stream(data, id, actor) ?? ''
    const time = new Date(Date.UTC(2030, 0, 1, 0, 0, at)).toISOString()
    const command: Command = { id, type, data, actor, scopes: [...scopes], stream, time, offset: at }
    const decision = domain.decide(command, viewOf(documents))
    if ('rejected' in decision) throw new Error(`${type}: ${decision.rejected}`)
    for (const happened of decision.events) {
      const number = events.filter((event) => event.stream === stream).length + 1
      const event = { ...happened, stream, number, command: id, time, actor }
      events.push(event)
      apply(event, documents)
    }
  }
  expect(documents.size).toBeGreaterThan(10)

  const again: Documents = new Map()
  const byStream = Map.groupBy(events, ({ stream }) => stream)
  for (const stream of [...byStream.keys()].sort().reverse()) {
    for (const event of byStream.get(stream) ?? []) apply(event, again)
  }
  expect(Object.fromEntries(again)).toEqual(Object.fromEntries(documents))
})

const event = { stream: 'thread/kettles', number: 1, command: 'c', time: '2030-01-01T00:00:00.000Z', actor: 'ada' }

test.each([
  ['forum.thread-changed', { title: 'Pans' }, 'kettles of threads'],
  ['forum.post-edited', { post: 'red', text: 'x' }, 'red of posts'],
  ['forum.vote-cast', { post: 'red', value: 1 }, 'red of posts'],
  ['forum.account-changed', { name: 'Ada' }, 'ada of accounts'],
])('the projection of %s throws if its document does not exist', (type, data, which) => {
  expect(() => domain.project({ ...event, type, data }, viewOf(new Map()))).toThrow(`the event changes ${which}`)
})
