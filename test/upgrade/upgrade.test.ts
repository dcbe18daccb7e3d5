import { rmSync } from 'node:fs'
import { afterAll, afterEach, expect, test } from 'vitest'
import { readConfig } from '#main/config.ts'
import { readModel } from '../compose/model.ts'
import { type Stack, startStack } from '../compose/native.ts'
import { SECRET } from '../compose/rules.ts'
import { expectStored, startLoad, stored } from '../load.ts'
import { discard, eventually, type Mill, send, startMill } from '../mill.ts'
import { released } from './released.ts'

const { KAFKA_BROKERS, MONGODB_URI } = readConfig(process.env)
/** The setting for a release that does not seal its records. */
const DRAINING = { UNSEALED: 'trust' }
const versions = { old: released(), new: '.' }
afterAll(() => rmSync(versions.old, { recursive: true }))

let stack: Stack | undefined
let mill: Mill | undefined
afterEach(async () => {
  await stack?.stop()
  await mill?.kill()
  if (mill) discard(mill)
  stack = undefined
  mill = undefined
})

/** The recommended order of the rollout, the other one, and both rollbacks. */
test.each([
  ['old', 'new', ['persist', 'publish', 'query']],
  ['old', 'new', ['publish', 'query', 'persist']],
  ['new', 'old', ['publish', 'query', 'persist']],
  ['new', 'old', ['persist', 'publish', 'query']],
] as const)(
  'from %s to %s under load, first %s: nothing is lost, nothing doubled, order held',
  async (from, to, order) => {
    const roots = { publish: versions[from], persist: versions[from], query: versions[from] }
    const running = await startStack(readModel(), {
      names: ['prepare', 'publish', 'persist', 'query', 'source'],
      given: { ...SECRET, ...DRAINING, MONGODB_URI, KAFKA_BROKERS: KAFKA_BROKERS.join(',') },
      database: `test_upgrade_${crypto.randomUUID()}`,
      roots,
    })
    stack = running
    const site = { publish: running.origin('publish'), query: running.origin('query') }
    const load = startLoad(() => site)
    const more = async () => {
      const before = load.responses.acknowledged.size
      await eventually(async () => expect(load.responses.acknowledged.size).toBeGreaterThan(before + 100))
    }
    await more()
    for (const name of order) {
      await running.replace(name, versions[to])
      await more()
    }
    await load.stop()
    await eventually(async () => expectStored(load.responses, await stored(site)), { within: 30_000, every: 200 })
    expect(await disordered(site.query)).toEqual([])
  },
)

/** The titles that come after a later one of the same client, which sends one after another. */
async function disordered(query: string): Promise<string[]> {
  const latest = new Map<string, number>()
  const wrong: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const path = `/api/tutorials?limit=1000${cursor ? `&cursor=${cursor}` : ''}`
    const page = (await (await fetch(query + path)).json()) as { items: { title: string }[]; next: string | null }
    for (const { title } of page.items) {
      const [client = '', count] = title.split('-')
      if (Number(count) < (latest.get(client) ?? 0)) wrong.push(title)
      latest.set(client, Number(count))
    }
    cursor = page.next
  }
  return wrong
}

test.each([
  ['old', 'new'],
  ['new', 'old'],
] as const)(
  'the file of the embedded pair goes from %s to %s, with its receipts and what was not applied yet',
  async (from, to) => {
    const before = await startMill({ pair: 'embedded', root: versions[from] })
    mill = before
    const titles = Array.from({ length: 200 }, (_, index) => `Title ${index}`)
    const answers = await Promise.all(titles.map((title) => send(`${before.publish}/api/tutorials`, { title })))
    const receipts = await Promise.all(
      answers.map(async (answer) => ((await answer.json()) as { receipt: string }).receipt),
    )
    await before.kill()
    const after = await startMill({ pair: 'embedded', root: versions[to], dir: before.dir, env: DRAINING })
    mill = after
    await eventually(async () => {
      for (const receipt of receipts) {
        expect(await (await fetch(after.query + receipt)).json()).toMatchObject({ status: 'applied' })
      }
    })
    expect([...(await stored(after)).keys()].sort()).toEqual(titles.sort())
  },
)
