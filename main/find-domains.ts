import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { type FoundDomains, mistakesIn } from '#core/checks/mistakes.ts'
import { withLetters } from '#core/registry.ts'
import type { Domain } from '#domains/domain.ts'
import { DOMAINS_FOLDER } from './project.ts'

let domains: Promise<Domain[]> | undefined

/**
 * The domains of this process. Mistakes in them end the process with a line for each and no stack. A bundle has the domains of its
 * build, which checks them.
 */
export const findDomains = (): Promise<Domain[]> => (domains ??= readDomains().catch(endIfMistaken))

/** Mistakes that a start can see: a line for each. */
export class DomainMistakes extends Error {}

/** The default export of each `domains/<name>/domain.ts`, and the letters. Rejects with `DomainMistakes`. */
export async function readDomains(): Promise<Domain[]> {
  const entries = await readdir(DOMAINS_FOLDER, { withFileTypes: true }).catch(() => {
    throw new DomainMistakes(`There is no folder domains in ${process.cwd()}. Run this in the folder of a project.`)
  })
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const names = folders.filter((name) => existsSync(new URL(`${name}/domain.ts`, DOMAINS_FOLDER)))
  const found = await Promise.all(
    names.sort().map(async (name) => {
      const { default: domain } = (await import(new URL(`${name}/domain.ts`, DOMAINS_FOLDER).href)) as {
        default?: unknown
      }
      return [name, domain] as const
    }),
  )
  assertNoMistakes(Object.fromEntries(found))
  return withLetters(found.map(([, domain]) => domain as Domain))
}

function assertNoMistakes(found: FoundDomains): void {
  const mistakes = mistakesIn(found)
  if (mistakes.length > 0) throw new DomainMistakes(`Mistakes in domains:\n  ${mistakes.join('\n  ')}`)
}

function endIfMistaken(error: unknown): never {
  if (!(error instanceof DomainMistakes)) throw error
  console.error(error.message)
  process.exit(1)
}
