import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sectionOf } from '../../deploy/release.ts'
import { currentText } from '../../generate/files.ts'
import { numberOf, surfaceFile } from '../../package/surface.ts'

const file = surfaceFile()
const report = file.text ?? ''

test('the report of the public surface is up to date (make docs writes it)', () => {
  expect(currentText(file)).toBe(report)
})

/** The number that CHANGELOG.md names last: that of Unreleased, or of the last release with a change. */
function named(changelog: string): string | undefined {
  return /\bsurface ([0-9a-f]{8})\b/.exec(changelog)?.[1]
}

test('CHANGELOG.md says what has changed in the public surface, and names its number', () => {
  const changelog = readFileSync('CHANGELOG.md', 'utf8')
  const wish = `CHANGELOG.md must say under Unreleased what changes for users, with "surface ${numberOf(report)}"`
  expect(named(changelog), wish).toBe(numberOf(report))
  expect(sectionOf(changelog, 'Unreleased').length).toBeGreaterThan(0)
})

test('the report has what authors import, with the types that follow, and nothing that they can not reach', () => {
  const [names = ''] = report.split('## client/')
  for (const name of ['appendDomain', 'decideDomain', 'CommandOf', 'createClient', 'given']) {
    expect(names).toMatch(new RegExp(`^${name}$`, 'm'))
    expect(report).toMatch(new RegExp(`^export .*\\b${name}\\b`, 'm'))
  }
  expect(report).toContain('interface CommandDefinition')
  expect(report).toContain('millrace dev')
  expect(report).not.toContain('checkEvent')
})

test('another surface has another number', () => {
  const { text = '' } = file
  expect(numberOf(text)).toMatch(/^[0-9a-f]{8}$/)
  expect(named('## Unreleased\n- A change (surface 01234567)\n## 0.1.0\n- surface 89abcdef')).toBe('01234567')
})
