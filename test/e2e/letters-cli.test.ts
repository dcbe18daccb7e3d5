import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { tokenOf } from '../auth/tokens.ts'
import { copyWith } from '../copy.ts'
import { discard, eventually, freePort, type Mill, send, startMill } from '../mill.ts'

/** Tests `make letters` on a real mill, with a domain that fails until a file exists. */
const shop = mkdtempSync(join(tmpdir(), 'letters-cli-'))
const mended = join(shop, 'mended')
const domain = `
import { existsSync } from 'node:fs'
import { z } from 'zod'
import type { DecideDomain } from '../domain.ts'

export default {
  kind: 'decide',
  name: 'wheels',
  topic: { name: 'wheels', partitions: 3 },
  ordering: 'ordered',
  commands: {
    'wheels.turn': {
      data: z.object({ wheel: z.string(), by: z.int() }),
      stream: ({ wheel }) => \`wheel/\${wheel}\`,
      routes: [{ method: 'POST', path: '/api/wheels', body: 'json' }],
    },
  },
  collections: [{ name: 'wheels', indexes: {} }],
  touches: ({ data }) => [{ collection: 'wheels', ids: [String(data.wheel)] }],
  decide({ data }) {
    if (!existsSync(${JSON.stringify(mended)})) throw new Error('the wheel is stuck')
    return { events: [{ type: 'wheels.turned', data }] }
  },
  project({ data }, documents) {
    const turned = documents.get('wheels', String(data.wheel))?.turned ?? ''
    return [{ collection: 'wheels', document: { _id: String(data.wheel), turned: \`\${turned} \${data.by}\` } }]
  },
  queries: [],
} satisfies DecideDomain
`
/** The line that throws. */
const line = domain.split('\n').findIndex((line) => line.includes('the wheel is stuck')) + 1
const place = `domains/wheels/domain.ts:${line}:\\d+ decide`
const root = copyWith([{ path: 'domains/wheels/domain.ts', text: domain }])
let mill: Mill
let token: string

beforeAll(async () => {
  token = await tokenOf('administrator')
  mill = await startMill({ pair: inject('pair'), root })
}, 60_000)
afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
  for (const dir of [root, shop]) rmSync(dir, { recursive: true, force: true })
})

interface Result {
  code: number
  stdout: string
  stderr: string
}

const runTool = (file: string, args: string[], more: Record<string, string> = {}) =>
  new Promise<Result>((resolve) => {
    const env = { ...process.env, SITE: mill.publish, LIMIT: '30', TOKEN: token, ...more }
    execFile(file, args, { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
const letters = (...args: string[]) => runTool(process.execPath, ['deploy/letters/cli.ts', ...args])
const listed = async () =>
  (await letters('--json')).stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { id: string; stream: string; error: string })

async function turn(wheel: string, by: number): Promise<string> {
  const answer = await send(`${mill.publish}/api/wheels`, { wheel, by })
  return ((await answer.json()) as { id: string }).id
}

test('an operator lists and shows letters, redrives them in vain, fixes the bug, and redrives them all', async () => {
  expect(await letters()).toEqual({ code: 0, stdout: '', stderr: '0 letters\n' })
  const wheel = `a-${crypto.randomUUID()}`
  const ids = [await turn(wheel, 1), await turn(wheel, 2), await turn(wheel, 3)]
  await eventually(async () => expect(await listed()).toHaveLength(3), { within: 30_000, every: 300 })

  const list = await letters()
  const [headings, first, second] = list.stdout.split('\n')
  expect(headings).toMatch(/^AGE +ATTEMPTS +DOMAIN +TYPE +STREAM +ID +ERROR$/)
  expect(first).toMatch(
    new RegExp(`^\\d+s +4 +wheels +wheels.turn +wheel/${wheel} +${ids[0]} +the wheel is stuck at ${place}$`),
  )
  expect(second).toContain('behind a parked command')
  expect(list.stderr).toBe('3 letters\n')

  const shown = await letters('show', ids[0] as string)
  expect(shown.stdout).toMatch(/^type {6}wheels.turn$/m)
  expect(shown.stdout).toMatch(new RegExp(`^error     the wheel is stuck\nat        ${place}\n`, 'm'))
  expect(shown.stdout).toContain(`"wheel": "${wheel}"`)

  const inVain = await letters('redrive', `domain=wheels stream=wheel/${wheel}`)
  expect(inVain.code).toBe(1)
  expect(inVain.stdout).toMatch(
    new RegExp(`^0 redriven, 1 parked again:\n  ${ids[0]}  the wheel is stuck at ${place}\n$`),
  )
  expect(await listed()).toHaveLength(3)

  await turn(`b-${crypto.randomUUID()}`, 1)
  await eventually(async () => expect(await listed()).toHaveLength(4), { within: 30_000, every: 300 })
  writeFileSync(mended, '')
  expect(existsSync(mended)).toBe(true)
  const done = await letters('redrive', 'all')
  expect(done).toEqual({ code: 0, stdout: '4 redriven, 0 parked again\n', stderr: '' })
  expect(await listed()).toEqual([])
  rmSync(mended)
})

test('make letters passes its arguments on, and fails when the tool fails', async () => {
  // The option keeps make from installing packages.
  const installed = '--assume-old=node_modules/.installed'
  const make = (...args: string[]) => runTool('make', ['--silent', installed, 'letters', ...args])
  const wheel = "it's a $(wheel) `x`"
  const id = await turn(wheel, 1)
  await eventually(async () => expect(await listed()).toHaveLength(1), { within: 30_000, every: 300 })
  const choice = 'stream=wheel/it\'s a "wheel" && false'
  expect((await make(`REDRIVE=${choice}`)).stdout).toContain('no such letter')
  const failed = await make('REDRIVE=all', 'JSON=1')
  expect(failed.code).not.toBe(0)
  expect(JSON.parse(failed.stdout)).toMatchObject({
    redriven: 0,
    failures: 1,
    failed: [{ id, frames: [expect.stringMatching(new RegExp(`^${place}$`))] }],
  })
  expect((await make(`DISCARD=${id}`)).stderr).toContain('REASON')
  expect(await make(`DISCARD=${id}`, "REASON=it's a test")).toMatchObject({ code: 0, stdout: `${id} is discarded\n` })
  expect((await make(`SHOW=${id}`)).stderr).toContain('404')
  expect((await make(`DISCARD=${id}`, 'REASON=again')).stdout).toContain('no letter')
  expect((await make()).stderr).toContain('0 letters')
})

test('wrong arguments are not sent, and an unavailable or refusing site is reported', async () => {
  const misspelt = await letters('redrive', 'domian=wheels')
  expect(misspelt.code).toBe(2)
  expect(misspelt.stderr).toContain('make letters REDRIVE=all')
  const refused = await runTool(process.execPath, ['deploy/letters/cli.ts'], { TOKEN: '' })
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('401') })
  expect(refused.stderr).toContain(`export TOKEN=$(make -s token USER=administrator SITE=${mill.publish})`)
  const SITE = `http://127.0.0.1:${await freePort()}`
  const away = await runTool(process.execPath, ['deploy/letters/cli.ts'], { SITE, LIMIT: '0.5' })
  expect(away.code).toBe(1)
  expect(away.stderr).toBe(`Nothing answers at ${SITE}. Start make dev, or name another site with SITE=.\n`)
})
