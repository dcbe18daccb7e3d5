import { execFile } from 'node:child_process'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { discard, type Mill, startMill } from '../mill.ts'

let mill: Mill
beforeAll(async () => {
  mill = await startMill({ pair: inject('pair'), env: inject('issuer').env })
}, 60_000)
afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
})

/** Tests `make token` with the issuer of `make dev`. */
const token = (USER: string) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const env = { ...process.env, SITE: mill.publish, USER }
    execFile(process.execPath, ['deploy/token.ts'], { env }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    )
  })

test('make token prints a token of the person and nothing else', async () => {
  const { code, stdout, stderr } = await token('administrator')
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  const headers = { authorization: `Bearer ${stdout.trim()}` }
  expect((await fetch(`${mill.query}/api/letters`, { headers })).status).toBe(200)
})

test.each(['root', ''])('make token lists the people if %j is unknown', async (user) => {
  const { code, stdout, stderr } = await token(user)
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^No token for .*administrator/)
})

test("make token defaults to member, and ignores the shell's USER", async () => {
  const make = (...args: string[]) =>
    new Promise<{ stdout: string; stderr: string }>((resolve) => {
      const env = { ...process.env, SITE: mill.publish, USER: 'alice' }
      // The option keeps make from installing packages.
      const all = ['--silent', '--assume-old=node_modules/.installed', 'token', ...args]
      execFile('make', all, { env }, (_, stdout, stderr) => resolve({ stdout, stderr }))
    })
  const subject = ({ stdout, stderr }: { stdout: string; stderr: string }): string => {
    expect(stderr).toBe('')
    return JSON.parse(Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString()).sub
  }
  expect(subject(await make())).toBe('member')
  expect(subject(await make(`ISSUER=${mill.publish}/oidc`))).toBe('member')
  expect(subject(await make('USER=administrator'))).toBe('administrator')
  expect((await make('USER=alice')).stderr).toContain('No token for alice')
})

test('the issuer prints nothing by itself', () => {
  expect(mill.output()).not.toMatch(/oidc-provider/i)
})
