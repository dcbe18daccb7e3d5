import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { freePort } from '#test/mill.ts'

const run = (file: string, ...args: string[]) => {
  const env = { PATH: process.env.PATH, LOG_LEVEL: 'silent' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8', env })
  return { status, stdout, stderr }
}
const millrace = (line: string) => run('package/millrace.ts', ...line.split(' '))

test.each([
  ['dev foo', 'npm run dev does not take the argument foo.'],
  ['dev --port=9000', 'npm run dev does not take the argument --port=9000.'],
  ['check foo', 'npx millrace check does not take the argument foo.'],
  ['docs foo', 'npx millrace docs does not take the argument foo.'],
  ['bundle foo', 'npx millrace bundle does not take the argument foo.'],
  ['client http://localhost foo', 'npx millrace client does not take the argument foo.'],
  ['token foo', 'npx millrace token does not take the argument foo.'],
  ['new domain orders foo', 'npx millrace new domain does not take the argument foo.'],
  ['new domain orders --apend', 'npx millrace new domain does not take the argument --apend.'],
  ['new orders', 'Write: millrace new domain orders, or with --append for one without rules.'],
])('millrace %s is refused with one line', (line, message) => {
  expect(millrace(line)).toEqual({ status: 2, stdout: '', stderr: `${message}\n` })
})

test.each([
  ['dev PORT=18180', 'PORT=18180 npm run dev'],
  ['check LOG=kafka', 'LOG=kafka npx millrace check'],
  ['client SITE=http://localhost', 'SITE=http://localhost npx millrace client'],
  ['token USER=member', 'USER=member npx millrace token'],
  ['letters SITE=http://localhost', 'SITE=http://localhost npx millrace letters'],
  ['deploy CLUSTER=a', 'CLUSTER=a npx millrace deploy'],
])('millrace %s says where to write a variable', (line, right) => {
  const [, variable] = line.split(' ')
  expect(millrace(line)).toEqual({ status: 2, stdout: '', stderr: `Write ${variable} before the command: ${right}\n` })
})

test('main/dev.ts of a clone refuses arguments too', () => {
  const stderr = 'Write PORT=18180 before the command: PORT=18180 npm run dev\n'
  expect(run('main/dev.ts', 'PORT=18180')).toEqual({ status: 2, stdout: '', stderr })
})

test('help is no unknown argument', () => {
  for (const line of ['--help', 'check --help', 'token -h', 'letters --help']) {
    expect(millrace(line)).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/millrace|make/) })
  }
})

test('a site where nothing listens is named, with what to do', async () => {
  const site = `http://127.0.0.1:${await freePort()}`
  const stderr = `Nothing answers at ${site}. Start make dev, or name another site: npx millrace client <site>\n`
  expect(millrace(`client ${site}`)).toEqual({ status: 1, stdout: '', stderr })
})
