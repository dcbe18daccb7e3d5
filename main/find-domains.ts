import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { type FoundDomains, mistakesIn } from '#core/checks/mistakes.ts'
import { withLetters } from '#core/registry.ts'
import type { Domain } from '#domains/domain.ts'

const FOLDER = new URL('../domains/', import.meta.url)

let domains: Promise<Domain[]> | undefined

/**
 * The default export of each `domains/<name>/domain.ts`, and the letters. Mistakes in the domains end the process. A bundle has the
 * domains of its build, which checks them.
 */
export const findDomains = (): Promise<Domain[]> => (domains ??= readDomains())

async function readDomains(): Promise<Domain[]> {
  const entries = await readdir(FOLDER, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const names = folders.filter((name) => existsSync(new URL(`${name}/domain.ts`, FOLDER)))
  const found = await Promise.all(
    names.sort().map(async (name) => {
      const { default: domain } = (await import(new URL(`${name}/domain.ts`, FOLDER).href)) as { default?: unknown }
      return [name, domain] as const
    }),
  )
  endIfMistaken(Object.fromEntries(found))
  return withLetters(found.map(([, domain]) => domain as Domain))
}

/** Mistakes in domains end the process with a line for each and no stack. */
function endIfMistaken(found: FoundDomains): void {
  const mistakes = mistakesIn(found)
  if (mistakes.length === 0) return
  console.error(`Mistakes in domains:\n  ${mistakes.join('\n  ')}`)
  process.exit(1)
}
