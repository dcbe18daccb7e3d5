import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { withLetters } from '#core/registry.ts'
import type { Domain } from '#domains/domain.ts'

/** The default export of each `domains/<name>/domain.ts`, and the letters. A bundle has the domains of its build time. */
export async function findDomains(folder = new URL('../domains/', import.meta.url)): Promise<Domain[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const names = folders.filter((name) => existsSync(new URL(`${name}/domain.ts`, folder)))
  const found = await Promise.all(
    names.sort().map(async (name) => {
      const { default: domain } = (await import(new URL(`${name}/domain.ts`, folder).href)) as { default?: Domain }
      if (!domain) throw new Error(`domains/${name}/domain.ts has no default export: it must be the domain`)
      return domain
    }),
  )
  return withLetters(found)
}
