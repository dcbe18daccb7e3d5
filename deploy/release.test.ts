import { expect, test } from 'vitest'
import { sectionOf, versionOf } from './release.ts'

const changelog =
  '# Changelog\n\n## Unreleased\n\n- Next.\n\n## 1.2.30 (2026-11-21)\n\n## 1.2.3 (2026-10-01)\n\n- One.\n- Two.\n\n## 1.2.2\n\n- Old.\n'

test('the notes of a release are its section', () => {
  expect(sectionOf(changelog, '1.2.3')).toBe('- One.\n- Two.')
  expect(sectionOf(changelog, '1.2.2')).toBe('- Old.')
})

test('a version without a section, or with an empty one, is not released', () => {
  expect(() => sectionOf(changelog, '1.2.4')).toThrow('no section 1.2.4')
  expect(() => sectionOf(changelog, '1.2.30')).toThrow('the section 1.2.30 of CHANGELOG.md is empty')
})

test('a tag must be the version of the package', () => {
  expect(versionOf('v1.2.3', { version: '1.2.3' })).toBe('1.2.3')
  expect(() => versionOf('v1.2.4', { version: '1.2.3' })).toThrow('the tag is v1.2.4, package.json says 1.2.3')
})
