import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '#test/mill.ts'
import { typeChecker } from './type-checker.ts'

let project: string

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'types-'))
  symlinkSync(resolve('node_modules'), join(project, 'node_modules'))
  mkdirSync(join(project, 'domains'))
  const compilerOptions = { strict: true, module: 'nodenext', types: [] }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['domains', 'other'] }))
  write('export const sum: number = 1')
})

afterEach(() => rmSync(project, { recursive: true, force: true }))

const write = (text: string) => writeFileSync(join(project, 'domains/rules.ts'), `\n  ${text}\n`)

const processes = () => spawnSync('pgrep', ['-f', join(project, 'settings')], { encoding: 'utf8' }).stdout

test('errors of types are told with their place, and that there are none once they are gone; the checker ends', async () => {
  mkdirSync(join(project, 'other'))
  writeFileSync(join(project, 'other/file.ts'), 'export const text: string = 1')
  const lines: string[] = []
  const log = (_: object, line: string) => void lines.push(line)
  const logger = { info: log, warn: log }
  const options = { folder: join(project, 'domains'), project, dir: join(project, 'settings'), logger }
  const checker = typeChecker(options)
  const told = (...expected: string[]) => eventually(async () => expect(lines).toEqual(expected), { within: 20_000 })
  await told('types: no errors')
  write("export const sum: number = 'one'")
  checker.check()
  const error = `types: ${relative(process.cwd(), project)}/domains/rules.ts:2:16 Type 'string' is not assignable to type 'number'.`
  await told('types: no errors', error)
  checker.check()
  write('export const sum: number = 2')
  checker.check()
  await told('types: no errors', error, 'types: no errors')
  checker.check()
  checker.close()
  await eventually(async () => expect(processes()).toBe(''))
})
