import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MongoClient, ObjectId } from 'mongodb'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { readConfig } from '#main/config.ts'
import { authorized, tokenOf, trustedIssuer } from '../auth/tokens.ts'
import { discard, eventually, expectProblem, freePort, type Mill, send, startMill } from '../mill.ts'

/** Tests `make import` on a real mill, with tutorials in the form of Spring Data MongoDB. */
const folder = mkdtempSync(join(tmpdir(), 'import-'))
const database = `test_import_${process.pid}_${Date.now()}`
let mill: Mill
let token: string

beforeAll(async () => {
  token = await tokenOf('administrator')
  mill = await startMill({ pair: inject('pair'), env: { MONGODB_DATABASE: database } })
}, 60_000)
afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
  rmSync(folder, { recursive: true })
})

interface Result {
  code: number
  stdout: string
  stderr: string
}

const settings = (more: Record<string, string>) => ({
  ...process.env,
  SITE: mill.publish,
  TOKEN: token,
  LIMIT: '30',
  ...more,
})
const runTool = (file: string, args: string[], more: Record<string, string>) =>
  new Promise<Result>((resolve) => {
    execFile(file, args, { env: settings(more) }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
const imported = (more: Record<string, string>) => runTool(process.execPath, ['deploy/import/cli.ts'], more)

function fileOf(name: string, text: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

interface Old {
  id: string
  title: string
}

/** ObjectIds as MongoDB creates them, a second apart. */
const oldOnes = (count: number, from = 0x50000000): Old[] =>
  Array.from({ length: count }, (_, n) => ({
    id: (from + n).toString(16) + crypto.randomUUID().replaceAll('-', '').slice(0, 16),
    title: `Old ${n} ${' äöü\t"\\'.repeat(n % 4)}`,
  }))
const exported = ({ id, title }: Old) => JSON.stringify({ _id: { $oid: id }, title, _class: 'com.example.Tutorial' })

const all = async () => (await (await fetch(`${mill.query}/api/test`)).json()) as Old[]
const among = async (old: Old[]) => {
  const ids = new Set(old.map(({ id }) => id))
  return (await all()).filter(({ id }) => ids.has(id))
}

const BAD: [line: string | Buffer, reason: string][] = [
  ['{"_id":{"$oid":"507f1f77bcf86cd799439011"},"title":""}', 'title: Too small'],
  [`{"_id":{"$oid":"507f1f77bcf86cd799439011"},"title":"${'x'.repeat(10_001)}"}`, 'title: Too big'],
  ['{"_id":{"$oid":"507f1f77bcf86cd799439011"},"_class":"a.B"}', 'title: Invalid input'],
  ['{"_id":{"$oid":"507f1f77bcf86cd799439011"},"title":7}', 'title: Invalid input'],
  ['{"_id":"01998f1e-7c3b-7d1e-9a51-0242ac120002","title":"a"}', 'id: must be an ObjectId'],
  ['{"title":"a"}', 'id: must be an ObjectId'],
  ['{"_id":{"$oid":"507f1f77bcf86cd799439011"},"title":"a","author":"b"}', 'author'],
  ['{"_id":{"$oid":"507f1f77bcf86cd799439011"},"title":"half \\ud800"}', 'half a surrogate pair'],
  [Buffer.from([0x22, 0xff, 0x22]), 'not valid'],
  ['{"_id":{"$oid":"507f1f77bcf8', 'JSON'],
  ['[1]', 'expected object'],
]

test('given thousands of documents, some invalid, when the import is killed and repeated, then each exists once', async () => {
  const old = oldOnes(2000)
  const lines = old.map(exported).map((line): string | Buffer => line)
  for (const [n, [line]] of BAD.entries()) lines.splice(100 + 150 * n, 0, line)
  const file = fileOf('tutorials.json', Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')])))

  const first = spawn(process.execPath, ['deploy/import/cli.ts'], { env: settings({ FILE: file }), stdio: 'ignore' })
  await eventually(async () => expect((await among(old)).length).toBeGreaterThan(0), { within: 60_000 })
  const gone = new Promise((resolve) => first.once('exit', (_, signal) => resolve(signal)))
  first.kill('SIGKILL')
  expect(await gone).toBe('SIGKILL')
  expect((await among(old)).length).toBeLessThan(old.length)

  const again = await imported({ FILE: file })
  expect(again.code).toBe(1)
  const refusals = again.stdout.trimEnd().split('\n')
  const wanted = BAD.map(([, reason], n) => ({ at: `${file}:${101 + 150 * n}: `, reason }))
  expect(refusals).toHaveLength(wanted.length)
  for (const { at, reason } of wanted) {
    const found = refusals.find((line) => line.startsWith(at))
    expect(found, refusals.join('\n').slice(0, 3000)).toContain(reason)
  }
  expect(again.stderr).toContain('2,011 read, 2,000 imported, 11 refused')

  expect(await among(old)).toEqual(old)
  for (const one of [old[0], old[777], old[1999]] as Old[]) {
    const time = new Date(Number.parseInt(one.id.slice(0, 8), 16) * 1000).toISOString()
    expect(await (await fetch(`${mill.query}/api/tutorials/${one.id}`)).json()).toEqual({ ...one, time })
  }
}, 180_000)

test('imported tutorials come before those of today, also in pages', async () => {
  const [old] = oldOnes(1, 0x40000000) as [Old]
  const today = await send(`${mill.publish}/api/tutorials`, { title: 'Today' }, { prefer: 'wait=15' })
  const { id } = (await today.json()) as { id: string }
  expect((await imported({ FILE: fileOf('one.json', exported(old)) })).code).toBe(0)
  const page = async (order: string) => {
    const answer = await fetch(`${mill.query}/api/tutorials?limit=1&order=${order}`)
    return ((await answer.json()) as { items: Old[] }).items[0]?.id
  }
  expect([await page('oldest'), await page('newest')]).toEqual([old.id, id])
})

test("a response of the previous system's GET /api/test is imported, as is any other array", async () => {
  const [first, second] = [oldOnes(3, 0x51000000), oldOnes(2, 0x52000000)]
  expect(await imported({ FILE: fileOf('test.json', JSON.stringify(first)) })).toMatchObject({ code: 0, stdout: '' })
  const documents = second.map((old) => JSON.parse(exported(old)))
  const compass = `\ufeff${JSON.stringify([...documents, { title: 'no id' }], undefined, 2)}\r\n`
  const file = fileOf('compass.json', compass)
  expect(await imported({ FILE: file })).toMatchObject({ code: 1, stdout: expect.stringContaining(`${file} item 3: `) })
  expect(await among([...first, ...second])).toEqual([...first, ...second])
})

test('a dry run checks every document and sends nothing', async () => {
  const old = oldOnes(2, 0x53000000)
  const file = fileOf('dry.json', `${old.map(exported).join('\n')}\n\n{}\n`)
  const dry = await imported({ FILE: file, DRY: '1', TOKEN: '', SITE: 'http://127.0.0.1:1' })
  expect(dry).toMatchObject({ code: 1, stderr: '3 read, 2 can be imported, 1 refused\n' })
  expect(dry.stdout).toContain(`${file}:4: `)
  expect(await among(old)).toEqual([])
})

test('an id that is repeated with another title is reported, and the first title stays', async () => {
  const [old] = oldOnes(1, 0x54000000) as [Old]
  const file = fileOf('twice.json', `${exported(old)}\n${exported({ ...old, title: 'Another' })}\n`)
  await imported({ FILE: fileOf('once.json', exported(old)) })
  const { code, stdout, stderr } = await imported({ FILE: file })
  expect([code, stdout]).toEqual([1, expect.stringMatching(/twice\.json:2: .*used before/)])
  expect(stderr).toContain('2 read, 1 imported, 1 refused')
  expect(await among([old])).toEqual([old])
})

test('only administrators import, and a missing token is reported with the command to type', async () => {
  const [old] = oldOnes(1, 0x55000000) as [Old]
  const FILE = fileOf('refused.json', exported(old))
  const anonymous = await imported({ FILE, TOKEN: '' })
  expect(anonymous.code).toBe(1)
  expect(anonymous.stderr).toContain(`export TOKEN=$(make -s token USER=administrator SITE=${mill.publish})`)
  expect(await imported({ FILE, TOKEN: await tokenOf('member') })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('403 The scope tutorials:import is required.'),
  })
  expect(await among([old])).toEqual([])
  const headers = await authorized('administrator')
  const forged = await send(`${mill.publish}/api/tutorials/import`, { id: crypto.randomUUID(), title: 'a' }, headers)
  await expectProblem(forged, 422)
})

test('the starting total counts once, and another one is rejected', async () => {
  const total = async () => BigInt(await (await fetch(`${mill.query}/api/final`)).text())
  await send(`${mill.publish}/api/sums`, { firstNumber: 2, secondNumber: 3 }, { prefer: 'wait=15' })
  expect(await imported({ TOTAL: '4201337000\n' })).toMatchObject({ code: 0, stdout: '' })
  expect(await imported({ TOTAL: '4201337000' })).toMatchObject({ code: 0, stdout: '' })
  expect(await total()).toBe(4_201_337_005n)
  expect(await imported({ TOTAL: '4201337001' })).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('TOTAL=4201337001: rejected'),
  })
  expect(await total()).toBe(4_201_337_005n)
  const { items } = (await (await fetch(`${mill.query}/api/final/history`)).json()) as { items: object[] }
  expect(items).toContainEqual(expect.objectContaining({ requestId: 'starting-total', result: 4_201_337_000 }))
})

test('old log events are sent in parts as docs/operations.md says, and repeats add none', async () => {
  const block = /```sh\n(split --lines [^`]+)```/.exec(readFileSync('docs/operations.md', 'utf8'))?.[1] ?? ''
  const script = block.replace('http://localhost:8080', mill.publish).replace('--lines 5000', '--lines 40')
  const timestamp = '2020-02-02T02:02:02.000Z'
  const organizationId = `org-${crypto.randomUUID()}`
  const event = (n: number) => ({
    organizationId,
    level: 'info',
    service: 'old',
    message: `line ${n}`,
    timestamp,
  })
  const lines = Array.from({ length: 100 }, (_, n) => JSON.stringify(event(n)))
  const cwd = mkdtempSync(join(folder, 'logs-'))
  writeFileSync(join(cwd, 'events.ndjson'), `${lines.join('\n')}\n`)
  for (let round = 0; round < 2; round++) {
    const sent = await runTool('bash', ['-c', `cd ${cwd}\n${script}`], { TOKEN: await tokenOf('collector') })
    expect([sent.code, sent.stdout.split('"status":202').length - 1], sent.stderr + sent.stdout).toEqual([0, 100])
  }
  const exp = Math.floor(Date.now() / 1000) + 3600
  const reader = { sub: 'reader', exp, roles: ['reader'], organisation: organizationId }
  const headers = { authorization: `Bearer ${await (await trustedIssuer()).sign(reader)}` }
  const look = async () => {
    const answer = await fetch(`${mill.query}/api/logs?organizationId=${organizationId}&limit=1000`, { headers })
    const { items } = (await answer.json()) as { items: { message: string; timestamp: string }[] }
    expect(items.map(({ message }) => message)).toEqual(lines.map((_, n) => `line ${n}`))
    expect(new Set(items.map(({ timestamp }) => timestamp))).toEqual(new Set([timestamp]))
  }
  // A new mill first reads everything that other tests have put into the topic.
  await eventually(look, { within: 90_000, every: 300 })
})

test('an unavailable site ends the import in time, and make prints what the tool prints', async () => {
  const FILE = fileOf('away.json', oldOnes(1).map(exported).join('\n'))
  const SITE = `http://127.0.0.1:${await freePort()}`
  const away = await imported({ FILE, SITE, LIMIT: '0.5' })
  expect([away.code, away.stderr]).toEqual([1, expect.stringContaining(`Nothing answers at ${SITE}.`)])
  const make = ['--silent', '--assume-old=node_modules/.installed', 'import']
  expect(await runTool('make', [...make, `FILE=${FILE}`, 'DRY=1'], {})).toMatchObject({
    code: 0,
    stderr: '1 read, 1 can be imported, 0 refused\n',
  })
})

test.each([
  [{}, 'one of FILE, FROM and TOTAL'],
  [{ FILE: 'a', FROM: 'mongodb://b/c' }, 'one of FILE, FROM and TOTAL'],
  [{ TOTAL: '12.5' }, 'TOTAL takes an integer'],
  [{ FROM: 'b' }, 'FROM takes mongodb://'],
  [{ FILE: 'a', LIMIT: '-1' }, 'LIMIT'],
])('the settings %j are refused with the usage', async (given, why) => {
  const { code, stderr } = await imported(given as Record<string, string>)
  expect(code).toBe(2)
  expect(stderr).toContain(why)
  expect(stderr).toContain('make import FILE=')
})

test('a missing or empty file fails', async () => {
  expect(await imported({ FILE: join(folder, 'none') })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('ENOENT'),
  })
  expect((await imported({ FILE: fileOf('empty.json', '\n') })).stderr).toContain('There is no document in')
})

if (inject('pair') === 'real') describe('from MongoDB', fromMongodb)

function fromMongodb(): void {
  const { MONGODB_URI } = readConfig(process.env)
  const client = new MongoClient(MONGODB_URI)
  const from = (name: string) => {
    const uri = new URL(MONGODB_URI)
    uri.pathname = `/${name}`
    return uri.href
  }
  const other = `${database}_old`
  afterAll(async () => {
    await client.db(other).dropDatabase()
    await client.db(database).dropDatabase()
    await client.close()
  })
  const asSpring = (count: number) =>
    Array.from({ length: count }, (_, n) => ({
      _id: new ObjectId(),
      title: `Spring ${n}`,
      _class: 'com.example.Tutorial',
    }))
  const oldOf = (documents: ReturnType<typeof asSpring>): Old[] =>
    documents.map(({ _id, title }) => ({ id: String(_id), title }))

  test('a collection of another database is imported and stays unchanged', async () => {
    const documents = asSpring(700)
    const collection = client.db(other).collection('titles')
    await collection.insertMany(documents)
    await collection.insertOne({ title: 'without a class' })
    const { code, stderr } = await imported({ FROM: from(other), COLLECTION: 'titles' })
    expect([code, stderr]).toEqual([0, expect.stringContaining('701 read, 701 imported')])
    expect(await among(oldOf(documents))).toEqual(oldOf(documents))
    expect(await collection.countDocuments()).toBe(701)
  })

  test("documents in the store's own collection are found once, after their import", async () => {
    const documents = asSpring(600)
    const collection = client.db(database).collection('tutorials')
    await collection.insertMany(documents)
    const old = oldOf(documents)
    const before = await all()
    expect(await among(old)).toEqual([])
    expect((await fetch(`${mill.query}/api/tutorials/${old[0]?.id}`)).status).toBe(404)
    expect(await paged()).toEqual(before.map(({ id }) => id))

    const { code, stderr } = await imported({ FROM: from(database) })
    expect([code, stderr]).toEqual([0, expect.stringContaining('600 read, 600 imported')])
    expect(await among(old)).toEqual(old)
    expect((await all()).length).toBe(before.length + old.length)
    expect(await paged()).toEqual((await all()).map(({ id }) => id))
    expect((await fetch(`${mill.query}/api/tutorials/${old[0]?.id}`)).status).toBe(200)
    expect((await imported({ FROM: from(database) })).stderr).toContain('600 read, 600 imported')
    expect((await all()).length).toBe(before.length + old.length)
  })

  async function paged(): Promise<string[]> {
    const ids: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = new URLSearchParams({ limit: '500', ...(cursor ? { cursor } : {}) }).toString()
      const answer = await fetch(`${mill.query}/api/tutorials?${query}`)
      const page = (await answer.json()) as { items: Old[]; next: string | null }
      ids.push(...page.items.map(({ id }) => id))
      cursor = page.next
    }
    return ids
  }

  test('an unavailable server ends the import, and its password is not printed', async () => {
    const FROM = `mongodb://root:secret@127.0.0.1:${await freePort()}/test?serverSelectionTimeoutMS=500`
    const { code, stderr } = await imported({ FROM })
    expect([code, stderr]).toEqual([1, expect.stringContaining('ECONNREFUSED')])
    expect(stderr).not.toContain('secret')
  })
}
