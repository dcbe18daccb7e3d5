import { people } from '#local/issuer/people.ts'
import type { MatrixRequest } from './requests.ts'

/** The requests to the forum. If a request changes something, each caller has its own thread or account to change. */
export async function forumRequests(site: string, tokens: Map<string, string>) {
  async function as(person: string, method: string, path: string, body: object): Promise<string> {
    const headers = {
      'content-type': 'application/json',
      prefer: 'wait=20',
      authorization: `Bearer ${tokens.get(person)}`,
    }
    const answer = await fetch(site + path, { method, headers, body: JSON.stringify(body) })
    const result = (await answer.json()) as { id: string; status: string }
    if (result.status !== 'applied') throw new Error(`${person} ${method} ${path}: ${JSON.stringify(result)}`)
    return result.id
  }
  const everybody = ['anonymous', ...Object.keys(people)]
  const open = (title: string) => as('moderator', 'POST', '/api/forum/threads', { title, text: 'Which one?' })
  const write = (person: string) => as(person, 'POST', `/api/forum/threads/${thread}/posts`, { text: 'The red one' })
  const forEach = async (work: (person: string) => Promise<string>) =>
    new Map(await Promise.all(everybody.map(async (person) => [person, await work(person)] as const)))

  await Promise.all(Object.keys(people).map((name) => as(name, 'PUT', '/api/accounts/me', { name })))
  const thread = await open('Kettles')
  const threads = await forEach((person) => open(`Kettles for ${person}`))
  const own = await forEach((person) => write(person === 'anonymous' ? 'member' : person))
  const others = await forEach(() => write('member2'))

  const there = `/api/forum/threads/${thread}`
  const within = (person: string) => `/api/forum/threads/${threads.get(person)}`
  await as('moderator', 'PUT', `${there}/bans/banned`, { reason: 'Spam' })
  await as('administrator', 'PUT', '/api/forum/bans/banned', { reason: 'Spam' })
  const json = (body: object) => JSON.stringify(body)
  const text = json({ text: 'The blue one' })
  const withBothIds = (mark: string) => {
    const path = `/api/forum/${mark}`
    const given = (person: string) => ({ threadId: String(threads.get(person)), accountId: 'member2' })
    const inBody = (person: string): MatrixRequest => ({ path, body: json(given(person)) })
    const inQuery = (person: string): MatrixRequest => ({ path: `${path}?${new URLSearchParams(given(person))}` })
    return [
      [`POST ${path}`, inBody],
      [`PUT ${path}`, inBody],
      [`DELETE ${path} by its query`, inQuery],
      [`DELETE ${path} by its body`, inBody],
    ] as const
  }
  const rows: { [row: string]: MatrixRequest | ((person: string) => MatrixRequest) } = {
    'POST /api/forum/threads': { path: '/api/forum/threads', body: json({ title: 'Pots', text: 'Any?' }) },
    'PATCH {thread} of another': (person) => ({ path: within(person), body: json({ title: 'Pans' }) }),
    'POST {thread}/posts': { path: `${there}/posts`, body: text },
    'PATCH {thread}/posts/{postId} of their own': (person) => ({
      path: `${there}/posts/${own.get(person)}`,
      body: text,
    }),
    'PATCH {thread}/posts/{postId} of another': (person) => ({
      path: `${there}/posts/${others.get(person)}`,
      body: text,
    }),
    'PUT {thread}/posts/{postId}/vote': { path: `${there}/posts/${thread}/vote`, body: json({ value: 1 }) },
    'GET {thread}/posts/{postId}/vote': { path: `${there}/posts/${thread}/vote` },
    'GET {thread}/posts/{postId}': { path: `${there}/posts/${thread}` },
    'DELETE {thread}/posts/{postId} of their own': (person) => ({ path: `${there}/posts/${own.get(person)}` }),
    'DELETE {thread}/posts/{postId} of another': (person) => ({ path: `${there}/posts/${others.get(person)}` }),
    'PUT {thread}/moderators/{accountId}': (person) => ({ path: `${within(person)}/moderators/member2` }),
    'DELETE {thread}/moderators/{accountId}': (person) => ({ path: `${within(person)}/moderators/member2` }),
    'PUT {thread}/bans/{accountId}': (person) => ({ path: `${within(person)}/bans/member2` }),
    'DELETE {thread}/bans/{accountId}': (person) => ({ path: `${within(person)}/bans/member2` }),
    'GET {thread}/bans/{accountId}': { path: `${there}/bans/banned` },
    'GET /api/forum/bans/{accountId}': { path: '/api/forum/bans/banned' },
    ...Object.fromEntries(['moderators', 'bans'].flatMap(withBothIds)),
    'GET /api/forum/me': { path: `/api/forum/me?threadId=${thread}` },
    'GET /api/forum/posts/{postId}': { path: `/api/forum/posts/${thread}` },
    ...Object.fromEntries(
      ['', '/posts', '/moderators', '/bans', '/me', '/history', '/live'].map((part) => [
        `GET {thread}${part}`,
        { path: there + part },
      ]),
    ),
    'DELETE {thread} of another': (person) => ({ path: within(person) }),
    'GET /api/forum/posts': { path: '/api/forum/posts?text=red' },
    'GET /api/forum/votes': { path: `/api/forum/votes?posts=${thread}` },
    'PUT /api/forum/bans/{accountId}': { path: '/api/forum/bans/member2' },
    'DELETE /api/forum/bans/{accountId}': { path: '/api/forum/bans/member2' },
    'GET /api/accounts': { path: '/api/accounts?name=member' },
    'GET /api/accounts/{accountId}': { path: '/api/accounts/member' },
    'PUT /api/accounts/me': (person) => ({ path: '/api/accounts/me', body: json({ name: person }) }),
  }
  return Object.fromEntries(
    Object.entries(rows).map(([row, request]) => [row.replace('{thread}', '/api/forum/threads/{threadId}'), request]),
  )
}
