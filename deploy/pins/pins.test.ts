import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Versions } from '../versions.ts'
import { fillPins, refuseUnpinned, unpinned } from './pins.ts'
import { tagged } from './tags.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const folder = mkdtempSync(join(tmpdir(), 'pins-'))
const root = join(folder, 'root')
const actions = join(folder, 'server/team/action')
const git = (...args: string[]) => execFileSync('git', ['-C', actions, ...args], { encoding: 'utf8' }).trim()
let commit: string

beforeAll(() => {
  mkdirSync(actions, { recursive: true })
  git('init', '--quiet')
  git('config', 'user.name', 'test')
  git('config', 'user.email', 'test@example.com')
  git('commit', '--quiet', '--allow-empty', '--message', 'one')
  commit = git('rev-parse', 'HEAD')
  git('tag', '--annotate', '--message', 'exact', 'v5.0.1')
  git('tag', 'v5')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const write = (path: string, text: string) => {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), text)
}
const read = (path: string) => readFileSync(join(root, path), 'utf8')

beforeEach(() => {
  rmSync(root, { recursive: true, force: true })
  write('Dockerfile', 'FROM node:24 AS build\nFROM build\n')
  write('compose.yaml', 'services:\n  db:\n    image: mongo:8\n')
  write('knative/components/db/db.yaml', 'containers:\n  - image: mongo:8\n')
  write('.github/workflows/ci.yaml', 'steps:\n  - uses: team/action@v5\n  - uses: ./ours\n')
})

const asked: string[] = []
const resolve = {
  image: async (name: string, tag: string) => {
    asked.push(`${name}:${tag}`)
    return DIGEST
  },
  action: (name: string, tag: string) => tagged(name, tag, join(folder, 'server')),
}
const versions = (checksum: string | null): Versions => ({
  kind: '1.0.0',
  node: `node@${DIGEST}`,
  releases: { serving: { version: '1.2.3', url: 'https://example.com', files: { 'core.yaml': checksum } } },
})

test('an unpinned reference is listed once, and is refused', () => {
  const list = ['core.yaml 1.2.3', 'mongo:8', 'node:24', 'team/action@v5']
  expect(unpinned(root, versions(null))).toEqual(list)
  expect(() => refuseUnpinned(root, versions(null))).toThrow(`not pinned yet: ${list.join(', ')}`)
})

test('pins are filled in, the exact version of an action beside its commit, and are asked for once', async () => {
  await fillPins(root, () => undefined, resolve)
  expect(read('Dockerfile')).toBe(`FROM node:24@${DIGEST} AS build\nFROM build\n`)
  expect(read('compose.yaml')).toContain(`    image: mongo:8@${DIGEST}\n`)
  expect(read('knative/components/db/db.yaml')).toContain(`  - image: mongo:8@${DIGEST}\n`)
  expect(read('.github/workflows/ci.yaml')).toContain(`  - uses: team/action@${commit} # v5.0.1\n  - uses: ./ours\n`)
  expect(asked.sort()).toEqual(['mongo:8', 'node:24'])
  expect(unpinned(root, versions('0'.repeat(64)))).toEqual([])
  expect(() => refuseUnpinned(root, versions('0'.repeat(64)))).not.toThrow()
})

test('an existing pin stays, although the image was built again', async () => {
  write('compose.yaml', `image: mongo:8@sha256:${'b'.repeat(64)}\n`)
  await fillPins(root, () => undefined, resolve)
  expect(read('compose.yaml')).toBe(`image: mongo:8@sha256:${'b'.repeat(64)}\n`)
  expect(read('knative/components/db/db.yaml')).toContain(DIGEST)
})

test('a tag of an action that was moved is an error, and nothing is written', async () => {
  write('.github/workflows/ci.yaml', `- uses: team/action@${'c'.repeat(40)} # v5.0.1\n`)
  await expect(fillPins(root, () => undefined, resolve)).rejects.toThrow('team/action@v5.0.1 was moved')
  expect(read('compose.yaml')).toContain('image: mongo:8\n')
})

test('a tag that an action does not have is an error', async () => {
  write('.github/workflows/ci.yaml', '- uses: team/action@v6\n')
  await expect(fillPins(root, () => undefined, resolve)).rejects.toThrow('has no tag v6')
})
