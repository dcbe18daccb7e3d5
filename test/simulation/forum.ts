import fc from 'fast-check'
import { derivedId } from '#core/ids.ts'
import type { ClientRequest } from './history.ts'
import type { Person } from './people.ts'

/** The id of a command with a key, known before the command exists. */
const idOf = (who: string, key: string): string => derivedId('forum', who, key, 0)

const MEMBERS: Person[] = ['ada', 'bob', 'eve']
const member = fc.constantFrom(...MEMBERS)
const anyone = fc.oneof(
  { weight: 12, arbitrary: member },
  { weight: 4, arbitrary: fc.constant<Person>('root') },
  { weight: 1, arbitrary: fc.constant(undefined) },
)
/** The owner of one of the two threads. Most commands go to the first one. */
const owner = fc.constantFrom<Person>('ada', 'ada', 'ada', 'ada', 'bob')
/** The author of a post that may exist in the thread, or undefined for its first post. */
const post = fc.constantFrom(undefined, undefined, undefined, ...MEMBERS)
const text = fc.constantFrom('one', 'two')
const rarely = fc.constantFrom(false, false, false, true)
const sometimes = <Value>(value: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })

type Command = Pick<ClientRequest, 'path'> & Partial<ClientRequest>

interface Scene {
  owner: Person
  post: Person | undefined
  text: string
  member: Person
  value: number
}

const scene: fc.Arbitrary<Scene> = fc.record({ owner, post, text, member, value: fc.constantFrom(1, 1, 1, 1, -1, 0) })

/** A request by somebody who may send it, or by anyone. */
const request = (by: fc.Arbitrary<Person | undefined>, command: (scene: Scene, by?: Person) => Command) =>
  fc
    .record({
      scene,
      by: fc.oneof(by, anyone),
      ifMatch: sometimes(fc.nat({ max: 8 })),
      key: sometimes(fc.constantFrom('key-1', 'key-2')),
      waits: rarely,
      repeats: fc.nat({ max: 2 }),
    })
    .map(
      ({ scene, by, ...manner }): ClientRequest => ({
        body: undefined,
        reads: false,
        as: by,
        ...manner,
        ...command(scene, by),
      }),
    )

const threadOf = ({ owner }: Scene): string => `/api/forum/threads/${idOf(owner, 'open')}`
const postOf = (scene: Scene): string =>
  `${threadOf(scene)}/posts/${scene.post ? idOf(scene.post, `in the thread of ${scene.owner}`) : idOf(scene.owner, 'open')}`

export const opening = (owner: Person): ClientRequest => ({
  path: '/api/forum/threads',
  body: { title: `of ${owner}`, text: 'the first' },
  key: 'open',
  as: owner,
  waits: false,
  reads: false,
  repeats: 2,
})

const moderator = fc.constantFrom<Person>('ada', 'ada', 'root')
const root = fc.constant<Person>('root')
const writing = (text: fc.Arbitrary<string>) =>
  fc
    .tuple(
      request(member, (scene, by) => ({
        path: `${threadOf(scene)}/posts`,
        key: by && `in the thread of ${scene.owner}`,
      })),
      text,
    )
    .map(([request, text]): ClientRequest => ({ ...request, body: { text } }))

/** The commands of the forum with their relative frequencies. */
export const FORUM: { weight: number; arbitrary: fc.Arbitrary<ClientRequest> }[] = [
  { weight: 2, arbitrary: fc.constantFrom(opening('ada'), opening('bob')) },
  { weight: 10, arbitrary: writing(text) },
  { weight: 1, arbitrary: writing(fc.constantFrom('bug', 'crash')) },
  {
    weight: 1,
    arbitrary: request(moderator, (scene) => ({ method: 'PATCH', path: threadOf(scene), body: { title: scene.text } })),
  },
  { weight: 1, arbitrary: request(moderator, (scene) => ({ method: 'DELETE', path: threadOf(scene) })) },
  {
    weight: 3,
    arbitrary: request(member, (scene) => ({ method: 'PATCH', path: postOf(scene), body: { text: scene.text } })),
  },
  { weight: 2, arbitrary: request(moderator, (scene) => ({ method: 'DELETE', path: postOf(scene) })) },
  {
    weight: 10,
    arbitrary: request(member, (scene) => ({
      method: 'PUT',
      path: `${postOf(scene)}/vote`,
      body: { value: scene.value },
    })),
  },
  ...(['moderators', 'bans'] as const).flatMap((mark) => [
    {
      weight: 3,
      arbitrary: request(moderator, (scene) => ({ method: 'PUT', path: `${threadOf(scene)}/${mark}/${scene.member}` })),
    },
    {
      weight: 2,
      arbitrary: request(moderator, (scene) => ({
        method: 'DELETE',
        path: `${threadOf(scene)}/${mark}/${scene.member}`,
      })),
    },
  ]),
  {
    weight: 2,
    arbitrary: request(root, ({ member }) => ({ method: 'PUT', path: `/api/forum/bans/${member}`, as: 'root' })),
  },
  {
    weight: 2,
    arbitrary: request(root, ({ member }) => ({ method: 'DELETE', path: `/api/forum/bans/${member}`, as: 'root' })),
  },
  {
    weight: 1,
    arbitrary: request(member, ({ text }) => ({ method: 'PUT', path: '/api/accounts/me', body: { name: text } })),
  },
  { weight: 1, arbitrary: request(member, () => ({ path: '/api/accounts/me' })) },
]
