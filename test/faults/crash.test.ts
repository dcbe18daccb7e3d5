import { rmSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { authorized } from '../auth/tokens.ts'
import { copyWith } from '../copy.ts'
import { discard, eventually, type Mill, send, startMill } from '../mill.ts'

/** A domain whose code kills the process. */
const bomb = `
import { z } from 'zod'
import type { AppendDomain } from '../domain.ts'

export default {
  kind: 'append',
  name: 'bombs',
  topic: { name: 'bombs', partitions: 1 },
  commands: {
    'bombs.lay': {
      data: z.object({ live: z.boolean() }),
      stream: (_, id) => \`bomb/\${id}\`,
      routes: [{ method: 'POST', path: '/api/bombs', body: 'json' }],
    },
  },
  documents: {
    collection: { name: 'bombs', indexes: { time: { fields: ['time'] } } },
    document({ data, time }) {
      if (data.live) process.kill(process.pid, 'SIGKILL')
      return { time }
    },
  },
  queries: [{ answers: 'all', path: '/api/bombs', index: 'time', shape: ({ _id }) => ({ id: _id }) }],
} satisfies AppendDomain
`

const root = copyWith([{ path: 'domains/bombs/domain.ts', text: bomb }])
let mill: Mill

afterAll(async () => {
  await mill.kill()
  discard(mill)
  rmSync(root, { recursive: true, force: true })
})

test('a command that kills the process is parked after its attempts, and everything else continues', async () => {
  mill = await startMill({ pair: 'embedded', root })
  const lay = async (live: boolean) =>
    ((await (await send(`${mill.publish}/api/bombs`, { live })).json()) as { id: string }).id
  const duds = [await lay(false), await lay(false)]
  await lay(true).catch(() => 'the process died before it answered')

  const headers = await authorized('administrator')
  let starts = 1
  const parked = await eventually(
    async () => {
      try {
        const { items } = (await (await fetch(`${mill.query}/api/letters`, { headers })).json()) as {
          items: Record<string, unknown>[]
        }
        if (items[0]) return items
      } catch {
        await mill.kill()
        mill = await startMill({ pair: 'embedded', root, dir: mill.dir }).catch(() => mill)
        starts++
      }
      throw new Error(`not parked after ${starts} starts`)
    },
    { within: 60_000 },
  )
  expect(parked).toMatchObject([{ domain: 'bombs', error: expect.stringContaining('no attempt came back') }])
  expect(starts).toBeGreaterThan(3)
  expect(starts).toBeLessThanOrEqual(8)

  duds.push(await lay(false))

  await eventually(async () => {
    const all = (await (await fetch(`${mill.query}/api/bombs`)).json()) as { id: string }[]
    expect(all.map(({ id }) => id).sort()).toEqual([...duds].sort())
  })
})
