import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { gatewayFolder, render, TEMPLATE, valuesOf } from '../gateway.ts'

function tested(template: string): { ok: boolean; errors: string } {
  const dir = gatewayFolder()
  const file = join(dir, 'nginx.conf')
  writeFileSync(
    file,
    render(
      template,
      dir,
      { http: 8080, grpc: 50_051 },
      valuesOf({ query: 'http://127.0.0.1:1', publish: 'http://127.0.0.1:2' }),
    ),
  )
  // nginx opens /dev/stdout by its name, which it can't where that is a socket.
  const stdio = ['ignore', 'ignore', 'pipe'] as const
  const { status, stderr } = spawnSync('nginx', ['-t', '-p', dir, '-c', file], { encoding: 'utf8', stdio: [...stdio] })
  rmSync(dir, { recursive: true })
  return { ok: status === 0, errors: stderr }
}

const template = readFileSync(TEMPLATE, 'utf8')

test('nginx takes the configuration of the gateway', () => {
  expect(tested(template)).toMatchObject({ ok: true, errors: expect.stringContaining('test is successful') })
})

test.each([
  ['a directive that is not known', 'proxy_buffering', 'proxy_bufering'],
  ['a variable that is not known', 'Host $function_host', 'Host $function_hos'],
  ['a setting that nothing fills in', 'MAX_BODY_BYTES', 'MAX_BODY'],
])('%s is refused', (_, right, wrong) => {
  expect(tested(template.replaceAll(right, wrong)).ok).toBe(false)
})
