import { parseArgs } from 'node:util'
import { z } from 'zod'
import { DEFAULT_SITE } from '../default-site.ts'
import { printHelpIfAsked } from '../help.ts'
import { type LettersCommand, parseArguments, USAGE } from './arguments.ts'
import { formatLetter, formatOutcome, formatTable } from './format.ts'
import { getLetter, letterPages, sendCommand } from './letters-api.ts'

/** make letters. Exit code 1: the operation failed for at least one letter. Exit code 2: the arguments are wrong. */

const say = (lines: string[]): void => console.log(lines.join('\n'))
const settings = z.object({
  SITE: z.url().default(DEFAULT_SITE),
  LIMIT: z.coerce.number().positive().default(60),
  TOKEN: z.string().optional(),
})
/** The reader of a pipe may close it early. */
process.stdout.on('error', () => process.exit(0))

printHelpIfAsked(USAGE)
const { command, site, isJson } = readInput()
try {
  process.exitCode = (await execute(command)) ? 0 : 1
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}

function readInput() {
  try {
    const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true })
    const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''))
    return { command: parseArguments(positionals), site: settings.parse(given), isJson: values.json === true }
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
    process.exit(2)
  }
}

/** True when the operation succeeded for all letters. */
async function execute(command: LettersCommand): Promise<boolean> {
  switch (command.what) {
    case 'list':
      await list()
      return true
    case 'show': {
      const letter = await getLetter(site, command.id)
      say(isJson ? [JSON.stringify(letter)] : formatLetter(letter, Date.now()))
      return true
    }
    case 'redrive': {
      const outcome = await sendCommand(site, 'redrive', command.choice)
      say(isJson ? [JSON.stringify(outcome)] : formatOutcome(outcome))
      return outcome.failures === 0 && (command.choice.id === undefined || outcome.redriven !== 0)
    }
    case 'discard': {
      const outcome = await sendCommand(site, 'discard', { id: command.id, reason: command.reason })
      const isGone = outcome.discarded === 1
      say([
        isJson ? JSON.stringify(outcome) : isGone ? `${command.id} is discarded` : `There is no letter ${command.id}.`,
      ])
      return isGone
    }
    default:
      return command satisfies never
  }
}

/** As JSON, each letter is one line. */
async function list(): Promise<void> {
  let count = 0
  for await (const letters of letterPages(site)) {
    const lines = isJson
      ? letters.map((letter) => JSON.stringify(letter))
      : formatTable(letters, Date.now(), process.stdout.columns)
    say(isJson || count === 0 ? lines : lines.slice(1))
    count += letters.length
  }
  console.error(count === 1 ? '1 letter' : `${count} letters`)
}
