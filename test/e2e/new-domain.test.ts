import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { authorized } from '../auth/tokens.ts'
import { discard, type Mill, send, startMill } from '../mill.ts'
import { copyWithNewDomains, names, newDomain, runIn } from '../new-domains.ts'

/** The tests that need no mill run once, not again with real servers. */
const isFirst = inject('pair') === 'embedded'

let copy: string
let mill: Mill

beforeAll(async () => {
  copy = copyWithNewDomains()
  mill = await startMill({ pair: inject('pair'), root: copy })
})

afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
  if (copy) rmSync(copy, { recursive: true, force: true })
})

const succeeds = (program: string, ...args: string[]) => {
  const { status, output } = runIn(copy, join('node_modules/.bin', program), args)
  expect(status, output).toBe(0)
}
const changes = () => runIn(copy, 'git', ['status', '--porcelain', '--untracked-files=all']).output

test.each(names)('%s stores a command and answers its queries', async (name) => {
  const member = await authorized('member')
  const title = `It turns ${crypto.randomUUID()}`
  expect((await send(`${mill.publish}/api/${name}`, { title })).status).toBe(401)
  expect((await send(`${mill.publish}/api/${name}`, { title: ' ' }, member)).status).toBe(422)
  const created = await send(`${mill.publish}/api/${name}`, { title }, { ...member, prefer: 'wait=15' })
  expect(created.status).toBe(201)
  const list = await fetch(`${mill.query}/api/${name}`, { headers: member })
  expect(await list.json()).toMatchObject({ items: [{ title }], next: null })
  const one = await fetch(mill.query + created.headers.get('location'), { headers: member })
  expect(await one.json()).toMatchObject({ title })
})

test('the rule of a new decide domain rejects a command', async () => {
  const [member, other] = [await authorized('member'), await authorized('member2')]
  const wait = { prefer: 'wait=15' }
  const created = await send(`${mill.publish}/api/addedbees`, { title: 'It turns' }, { ...member, ...wait })
  const path = `${mill.publish}${created.headers.get('location')}/close`
  const close = (headers: object) => fetch(path, { method: 'POST', headers: { ...headers, ...wait } })
  const rejected = await close(other)
  expect(rejected.status).toBe(409)
  expect(await rejected.text()).toContain('only its creator may close an entry')
  expect((await close(member)).status).toBe(200)
  expect((await close(member)).status).toBe(409)
})

if (isFirst) {
  test('each domain is a folder and a KafkaSource, and nothing is written by hand', () => {
    const generated = [' M docs/api.md', ' M knative/sources/kustomization.yaml']
    const own = names.flatMap((name) =>
      [`domains/${name}/domain.ts`, `domains/${name}/${name}.test.ts`, `knative/sources/${name}.yaml`].map(
        (path) => `?? ${path}`,
      ),
    )
    expect(changes().split('\n').filter(Boolean).sort()).toEqual([...generated, ...own].sort())
  })

  test('they pass the type check and the linter', () => {
    const include = names.map((name) => `domains/${name}`)
    writeFileSync(join(copy, 'tsconfig.added.json'), JSON.stringify({ extends: './tsconfig.json', include }))
    succeeds('tsc', '-p', 'tsconfig.added.json')
    rmSync(join(copy, 'tsconfig.added.json'))
    succeeds('biome', 'ci', 'domains')
  })

  test('their tests and those of all domains pass without another change', () => {
    const own = names.map((name) => `domains/${name}`)
    succeeds(
      'vitest',
      'run',
      '--reporter',
      'dot',
      '--project',
      'unit',
      ...own,
      'core/registry.test.ts',
      'test/describe',
    )
    succeeds('vitest', 'run', '--reporter', 'dot', '--project', 'rules', 'docs.test.ts', 'imports.test.ts')
    succeeds('vitest', 'run', '--reporter', 'dot', '--project', 'e2e-embedded', 'test/auth/matrix.test.ts')
  })

  test.each([
    [['NAME='], 'The name is missing. Write: make new-domain NAME=orders'],
    [
      ['NAME=new-orders'],
      'The name "new-orders" must be 1 to 30 lowercase letters and digits that begin with a letter.',
    ],
    [['NAME=then'], 'The name "then" is reserved'],
    [['NAME=addeddogs', 'KIND=table'], 'KIND must be decide or append, not "table".'],
    [[`NAME=${names[0]}`], `domains/${names[0]} exists already. Choose another name.`],
    [['NAME=letters'], 'domain letters: topic letters clashes with topic letters of Millrace itself.'],
    [['NAME=events'], 'domain events: collection events clashes with collection events of Millrace itself.'],
    [['NAME=threads', 'KIND=append'], 'collection threads clashes with collection threads of domain forum.'],
    [['NAME=receipts'], 'clashes with collection receipts of Millrace itself.'],
    [['NAME=publish'], 'POST /api/publish of domain tutorials.'],
  ])('%j is refused, and nothing is written', (settings, sentence) => {
    const before = changes()
    const { status, output } = newDomain(copy, ...settings)
    expect(output).toContain(sentence)
    expect(status).not.toBe(0)
    expect(changes()).toBe(before)
  })
}
