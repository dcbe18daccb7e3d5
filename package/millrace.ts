#!/usr/bin/env node
import '../main/node-version.mjs'
import { parseArgs } from 'node:util'
import { isVariable, refuseArguments } from '../main/refuse-arguments.ts'

/** `millrace`: the program of a project that has Millrace as a package. The project is the current folder. */

interface Command {
  /** The words behind the name of the program. */
  name: string
  what: string
  /** The number of words that it takes at most. Without it, the program that runs checks them. */
  words?: number
  run(): unknown
}

const commands: Command[] = [
  {
    name: 'dev',
    what: 'runs the domains of this folder in one process',
    words: 0,
    run: () => import('../main/dev.ts'),
  },
  { name: 'new domain <name> [--append]', what: 'adds a domain with an example and its test', run: newDomain },
  {
    name: 'check',
    what: 'finds mistakes in domains, and files that `millrace docs` would change',
    words: 0,
    run: check,
  },
  {
    name: 'docs',
    what: 'writes what follows from the domains: knative/sources',
    words: 0,
    run: docs,
  },
  {
    name: 'bundle',
    what: 'writes dist/, which is the content of an image',
    words: 0,
    run: () => import('../bundle.ts'),
  },
  { name: 'client <site>', what: 'prints the types of a site for the typed client', words: 1, run: client },
  { name: 'token', what: 'prints a token of a sample person: USER=member', run: () => import('../deploy/token.ts') },
  { name: 'letters', what: 'lists, redrives and discards letters', run: () => import('../deploy/letters/cli.ts') },
  { name: 'deploy [step]', what: 'deploys to a kind cluster, or does one of the steps', run: deploy },
]

const USAGE = `
${commands.map(({ name, what }) => `  millrace ${name.padEnd(30)}${what}`).join('\n')}
`

const [word, ...rest] = process.argv.slice(2)
const command = commands.find(({ name }) => name.split(' ', 1)[0] === word)
const isHelp = (argument = '') => ['--help', '-h'].includes(argument)
if (isHelp(word) || (command?.words !== undefined && rest.some(isHelp))) console.log(USAGE)
else if (command) {
  const { words } = command
  const shown = word === 'dev' ? 'npm run dev' : `npx millrace ${word}`
  const isRefused = (argument: string, at: number) => (at < (words ?? 1) ? isVariable(argument) : words !== undefined)
  refuseArguments(shown, rest.filter(isRefused))
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
    strict: false,
  })
  const [what, name = '', ...more] = positionals
  if (what !== 'domain') {
    console.error('Write: millrace new domain orders, or with --append for one without rules.')
    process.exit(2)
  }
  const options = Object.keys(values).filter((option) => option !== 'append')
  refuseArguments('npx millrace new domain', [...more, ...options.map((option) => `--${option}`)])
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
  const { DEFAULT_SITE, requestFailure } = await import('../deploy/default-site.ts')
  const { clientTypes } = await import('../generate/client-types.ts')
  const [site = DEFAULT_SITE] = rest
  try {
    const response = await fetch(new URL('/openapi.json', site))
    if (!response.ok) throw new Error(`${response.url} answers ${response.status}`)
    process.stdout.write(clientTypes((await response.json()) as Parameters<typeof clientTypes>[0]))
  } catch (error) {
    console.error(requestFailure(error, site, 'Start make dev, or name another site: npx millrace client <site>'))
    process.exitCode = 1
  }
}

async function deploy(): Promise<void> {
  if (rest.length === 0) process.argv.push('deploy')
  await import('../deploy/cli.ts')
}
