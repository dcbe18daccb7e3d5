import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sectionOf } from '../../deploy/release.ts'

const changelog = readFileSync('CHANGELOG.md', 'utf8')
const headings = [...changelog.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading)
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

test('CHANGELOG.md has a section for what is not released yet, and one with a date for each version', () => {
  const [first, ...versions] = headings
  expect(first).toBe('Unreleased')
  for (const heading of versions) expect(heading).toMatch(/^\d+\.\d+\.\d+ - \d{4}-\d{2}-\d{2}$/)
})

test.each(headings)('the section %s groups its lines, and says what an upgrade needs', (heading) => {
  const section = sectionOf(changelog, heading.split(' ', 1)[0] ?? '')
  const groups = [...section.matchAll(/^### (.+)$/gm)].map(([, group]) => group)
  const known = ['Added', 'Changed', 'Fixed', 'Upgrade notes']
  expect(groups).toEqual(known.filter((group) => groups.includes(group)))
  expect(groups).toContain('Upgrade notes')
})

test('the version of package.json has release notes', () => {
  expect(sectionOf(changelog, version)).toContain('### Added')
})
