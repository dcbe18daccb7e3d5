#!/usr/bin/env node
import '../main/node-version.mjs'
import { parseArgs } from 'node:util'

/** `millrace`: the program of a project that has Millrace as a package. The project is the current folder. */

interface Command {
  /** The words behind the name of the program. */
  name: string
  what: string
  run(): unknown
}

const commands: Command[] = [
  { name: 'dev', what: 'runs the domains of this folder in one process', run: () => import('../main/dev.ts') },
  { name: 'new domain <name> [--append]', what: 'adds a domain with an example and its test', run: newDomain },
  { name: 'check', what: 'finds mistakes in domains, and files that `millrace docs` would change', run: check },
  {
    name: 'docs',
    what: 'writes what follows from the domains: knative/sources',
    run: docs,
  },
  { name: 'bundle', what: 'writes dist/, which is the content of an image', run: () => import('../bundle.ts') },
  { name: 'client <site>', what: 'prints the types of a site for the typed client', run: client },
  { name: 'token', what: 'prints a token of a sample person: USER=member', run: () => import('../deploy/token.ts') },
  { name: 'letters', what: 'lists, redrives and discards letters', run: () => import('../deploy/letters/cli.ts') },
  { name: 'deploy [step]', what: 'deploys to a kind cluster, or does one of the steps', run: deploy },
]

const USAGE = `
${commands.map(({ name, what }) => `  millrace ${name.padEnd(30)}${what}`).join('\n')}
`

const [word, ...rest] = process.argv.slice(2)
const command = commands.find(({ name }) => name.split(' ', 1)[0] === word)
if (word === '--help' || word === '-h') console.log(USAGE)
else if (command) {
  // A program that it runs finds its own arguments where it expects them.
  process.argv.splice(2, 1)
  await command.run()
} else {
  console.error(word === undefined ? USAGE : `There is no command ${word}.\n${USAGE}`)
  process.exitCode = 2
}

async function newDomain(): Promise<void> {
  const { values, positionals } = parseArgs({
    args: rest,
    options: { append: { type: 'boolean' } },
    allowPositionals: true,
  })
  const [what, name = ''] = positionals
  if (what !== 'domain')
    return void console.error('Write: millrace new domain orders, or with --append for one without rules.')
  const { addDomain } = await import('../generate/new-domain/new-domain.ts')
  const { sourceFiles } = await import('../generate/files.ts')
  await addDomain(name, values.append ? 'append' : 'decide', sourceFiles)
}

/** What follows from the domains. Mistakes in them end the process. */
async function following() {
  const { findDomains } = await import('../main/find-domains.ts')
  const files = await import('../generate/files.ts')
  return { ...files, wanted: files.sourceFiles(await findDomains()) }
}

async function docs(): Promise<void> {
  const { wanted, writeFiles } = await following()
  writeFiles(wanted)
}

async function check(): Promise<void> {
  const { wanted, currentText } = await following()
  const stale = wanted.filter((file) => currentText(file) !== file.text)
  for (const { path } of stale) console.error(`${path} is not up to date: run \`millrace docs\`.`)
  process.exitCode = stale.length > 0 ? 1 : 0
}

async function client(): Promise<void> {
  const [site = 'http://localhost:8080'] = rest
  const { clientTypes } = await import('../generate/client-types.ts')
  const response = await fetch(new URL('/openapi.json', site))
  if (!response.ok) throw new Error(`${response.url} answers ${response.status}`)
  process.stdout.write(clientTypes((await response.json()) as Parameters<typeof clientTypes>[0]))
}

async function deploy(): Promise<void> {
  if (rest.length === 0) process.argv.push('deploy')
  await import('../deploy/cli.ts')
}
