import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { mistakesIn } from '#core/checks/mistakes.ts'
import letters from '#core/letters/domain.ts'
import { withLetters } from '#core/registry.ts'
import type { Domain } from '#domains/domain.ts'
import { findDomains } from '#main/find-domains.ts'
import { type GeneratedFile, writeFiles } from '../files.ts'
import { domainFiles, nextSteps } from './files.ts'
import { type Kind, nameMistake } from './name.ts'

/**
 * Adds a domain with an example and its test, and writes what follows from all domains. Ends the process and writes nothing unless
 * the domain passes every check beside the domains that exist.
 */
export async function addDomain(
  name: string,
  kind: Kind,
  generated: (domains: Domain[]) => GeneratedFile[],
): Promise<void> {
  const mistake = nameMistake(name)
  if (mistake !== undefined) refuse(mistake)
  const folder = join('domains', name)
  if (existsSync(folder)) refuse(`${folder} exists already. Choose another name.`)
  const files = domainFiles(name, kind)
  const found = (await findDomains()).filter((domain) => domain !== letters)
  const domain = await load(files.domain)
  const mistakes = mistakesIn(Object.fromEntries([...found, domain].map((each) => [each.name, each])))
  if (mistakes.length > 0) refuse(`The name "${name}" is not free:\n  ${mistakes.join('\n  ')}`)
  const following = generated(withLetters([...found, domain]))
  const own = { 'domain.ts': files.domain, [`${name}.test.ts`]: files.test }
  writeFiles([...Object.entries(own).map(([file, text]) => ({ path: join(folder, file), text })), ...following])
  console.log(nextSteps(name))
}

/** Imports the domain from a folder of its own, so that it is checked before it is among the domains. */
async function load(text: string): Promise<Domain> {
  mkdirSync('.millrace', { recursive: true })
  const folder = mkdtempSync('.millrace/new-domain-')
  try {
    const file = resolve(folder, 'domain.ts')
    writeFileSync(file, text)
    return (await import(pathToFileURL(file).href)).default
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export function refuse(reason: string): never {
  console.error(reason)
  process.exit(1)
}
