import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { mistakesIn } from '#core/checks/mistakes.ts'
import letters from '#core/letters/domain.ts'
import { withLetters } from '#core/registry.ts'
import type { Domain } from '#domains/domain.ts'
import { findDomains } from '#main/find-domains.ts'
import { printHelpIfAsked } from '../../deploy/help.ts'
import { generatedFiles, writeFiles } from '../files.ts'
import { domainFiles, nextSteps } from './files.ts'
import { isKind, type Kind, nameMistake } from './name.ts'

/** `make new-domain`: writes nothing unless the domain passes every check beside the domains that exist. */

printHelpIfAsked(`
make new-domain NAME=orders              adds a domain whose rules decide commands
make new-domain NAME=orders KIND=append  adds a domain whose commands each become one document
It writes domains/orders with an example and its test, and what make docs writes. Exit code 1: it wrote nothing.
`)

const { NAME: name = '', KIND } = process.env
const kind = KIND || 'decide'
const mistake = nameMistake(name)
if (mistake !== undefined) refuse(mistake)
if (!isKind(kind)) refuse(`KIND must be decide or append, not "${kind}".`)
const folder = join('domains', name)
if (existsSync(folder)) refuse(`${folder} exists already. Choose another name.`)
await add(name, kind)

async function add(name: string, kind: Kind): Promise<void> {
  const files = domainFiles(name, kind)
  const found = (await findDomains()).filter((domain) => domain !== letters)
  const domain = await load(files.domain)
  const mistakes = mistakesIn(Object.fromEntries([...found, domain].map((each) => [each.name, each])))
  if (mistakes.length > 0) refuse(`The name "${name}" is not free:\n  ${mistakes.join('\n  ')}`)
  const generated = generatedFiles(withLetters([...found, domain]))
  mkdirSync(folder)
  const own = { 'domain.ts': files.domain, [`${name}.test.ts`]: files.test }
  writeFiles([...Object.entries(own).map(([file, text]) => ({ path: join(folder, file), text })), ...generated])
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

function refuse(reason: string): never {
  console.error(reason)
  process.exit(1)
}
