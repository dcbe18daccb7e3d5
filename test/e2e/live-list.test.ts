import { readFileSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createClient } from '#client/client.ts'
import { tokenOf } from '../auth/tokens.ts'
import { copyWith } from '../copy.ts'
import { discard, eventually, type Mill, startMill } from '../mill.ts'
import type { shop } from '../shop.ts'

/** The live list of one's own orders over HTTP. */

let root: string
let mill: Mill

beforeAll(async () => {
  root = copyWith([
    { path: 'domains/shop/shop.ts', text: readFileSync('test/shop.ts', 'utf8') },
    { path: 'domains/shop/domain.ts', text: "export { shop as default } from './shop.ts'\n" },
  ])
  mill = await startMill({ pair: inject('pair'), root })
})

afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
  rmSync(root, { recursive: true, force: true })
})

const clientOf = async (person: string) =>
  createClient<{ shop: typeof shop }>({ url: mill.publish, token: await tokenOf(person) })

/** A tab of a browser that follows the orders of a person, until it is closed. */
async function openTab(person: string, lastEventId?: string) {
  const closed = new AbortController()
  const headers = {
    authorization: `Bearer ${await tokenOf(person)}`,
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  }
  let text = ''
  const reading = (async () => {
    const { body } = await fetch(`${mill.query}/api/shop/live`, { headers, signal: closed.signal })
    for await (const chunk of body ?? []) text += Buffer.from(chunk).toString()
  })().catch(() => undefined)
  const events = () =>
    [...text.matchAll(/^(?:event: (.*)\n)?data: (.*)\nid: (.*)$/gm)].map(
      ([, event = 'message', data = '', id = '']) => ({
        event,
        order: JSON.parse(data) as { id?: string; state?: string },
        id,
      }),
    )
  return {
    events,
    states: () => events().map(({ event, order }) => (order.state ? `${event} ${order.state}` : event)),
    close() {
      closed.abort()
      return reading
    },
  }
}

test('another tab sees an order placed, paid and cancelled in order, also after a reconnect, and another customer sees nothing', async () => {
  const [mary, max] = [await clientOf('member'), await clientOf('member2')]
  const [tab, other] = [await openTab('member'), await openTab('member2')]
  await eventually(async () => expect([...tab.states(), ...other.states()]).toEqual(['begun', 'begun']))
  const typed: string[] = []
  const stop = new AbortController()
  const begun = Promise.withResolvers<void>()
  const following = (async () => {
    for await (const { kind, item } of mary.shop.mine.each({}, { signal: stop.signal, begun: begun.resolve }))
      typed.push(`${kind} ${item.state}`)
  })().catch(() => undefined)
  await begun.promise

  await mary.shop.place({ id: '1', customer: 'member' })
  await mary.shop.write({ id: '1', state: 'paid' })
  await mary.shop.cancel({ id: '1' })
  await mary.shop.place({ id: '2', customer: 'member' })
  await mary.shop.give({ id: '2', customer: 'nobody' })
  const expected = ['message placed', 'changed paid', 'removed paid', 'message placed', 'removed placed']
  await eventually(async () => expect(tab.states()).toEqual(['begun', ...expected]))
  await eventually(async () => expect(typed).toEqual(expected.map((text) => text.replace('message', 'inserted'))))
  const ids = tab.events().map(({ order }) => order.id)
  expect(ids.slice(1)).toEqual(['1', '1', '1', '2', '2'])
  stop.abort()
  await following

  const position = tab.events()[1]?.id
  await tab.close()
  await mary.shop.place({ id: '3', customer: 'member' })
  const again = await openTab('member', position)
  await eventually(async () => expect(again.states()).toEqual([...expected.slice(1), 'message placed']))
  expect(again.events().at(-1)?.order.id).toBe('3')
  await max.shop.place({ id: '4', customer: 'member2' })
  await eventually(async () => expect(other.states()).toEqual(['begun', 'message placed']))
  expect(again.states()).toHaveLength(5)
  await Promise.all([again.close(), other.close()])
})
