import { Agent, request } from 'undici'
import { linesOf } from '#client/stream.ts'
import { tokensOf } from '../auth/grant.ts'
import { median } from './percentile.ts'
import type { Figure } from './report.ts'
import { newSandbox } from './sandbox.ts'
import { idOf, seed, THREAD, textOf, VOTES_EACH } from './seed.ts'
import { ours, serve } from './served.ts'

const PAGE = 5
const WHAT = { page: `a page of ${PAGE} posts`, vote: 'a vote, to stored', write: 'a post, to stored' }

/**
 * Row m: the cost of a thread with very many posts and votes, and of one with ten posts in another mill, so that the size of the
 * store counts too. They take turns, one request after another.
 */
export async function threads(isQuick: boolean): Promise<Figure[]> {
  const [many, times] = isQuick ? [10_000, 20] : [100_000, 200]
  const mills = [await open(10), await open(many)] as const
  const figures: Figure[] = []
  try {
    for (const ask of ['page', 'vote', 'write'] as const) {
      const took: [number[], number[]] = [[], []]
      for (let time = -times / 4; time < times; time++) {
        for (const [at, mill] of mills.entries()) {
          const began = performance.now()
          await mill[ask](time)
          if (time >= 0) took[at]?.push(performance.now() - began)
        }
      }
      const [floor, value] = took.map(median) as [number, number]
      const name = `${WHAT[ask]}, ${many.toLocaleString('en')} posts, ${(many * VOTES_EACH).toLocaleString('en')} votes, p50`
      figures.push({ row: 'm', name, value, unit: 'ms', ratio: { of: 'ten posts', value: value / floor } })
    }
  } finally {
    await Promise.all(mills.map((mill) => mill.close()))
  }
  return figures
}

/** A mill with one thread, and the requests of a member. */
async function open(posts: number) {
  const { env, root, dir } = newSandbox('embedded')
  await seed(dir, posts)
  const server = await serve(ours(env, root, 'main/dev.ts'))
  const dispatcher = new Agent({ connections: 1, pipelining: 1 })
  const issuer = `${server.url.replace('127.0.0.1', 'localhost')}/oidc`
  const authorization = `Bearer ${(await tokensOf(issuer, ['member'])).get('member')}`
  const thread = `${server.url}/api/forum/threads/${THREAD}`

  async function ask(method: 'GET' | 'POST' | 'PUT', path: string, command?: object): Promise<{ items?: unknown[] }> {
    const { statusCode, body } = await request(thread + path, {
      dispatcher,
      method,
      headers: { authorization, prefer: 'wait=10', ...(command ? { 'content-type': 'application/json' } : {}) },
      ...(command ? { body: JSON.stringify(command) } : {}),
    })
    const text = await body.text()
    if (statusCode !== (method === 'POST' ? 201 : 200)) throw new Error(`${method} ${path}: ${statusCode} ${text}`)
    return JSON.parse(text)
  }

  /** The cursor in the middle of the list, from the lines of the export. */
  async function middle(): Promise<string> {
    const { body } = await fetch(`${thread}/posts`, { headers: { accept: 'application/x-ndjson' } })
    let count = 0
    for await (const line of linesOf(body as ReadableStream)) {
      if (++count === posts / 2) return (JSON.parse(line) as { cursor: string }).cursor
    }
    throw new Error(`a thread of ${count} posts`)
  }

  const pages = [`order=oldest&cursor=${await middle()}`, 'order=newest', 'order=best']
  return {
    async page(time: number) {
      const { items } = await ask('GET', `/posts?limit=${PAGE}&${pages[Math.abs(time) % pages.length]}`)
      if (items?.length !== PAGE) throw new Error(`a page of ${items?.length} posts`)
    },
    vote: (time: number) => ask('PUT', `/posts/${idOf(posts / 2)}/vote`, { value: time % 2 === 0 ? 1 : -1 }),
    write: (time: number) => ask('POST', '/posts', { text: textOf(time + 1000) }),
    async close() {
      await dispatcher.close()
      await server.stop()
    },
  }
}
