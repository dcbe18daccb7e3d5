import { parseArgs } from 'node:util'
import { z } from 'zod'
import { helpIfAsked } from '../help.ts'
import { type Asked, readAsked, USAGE } from './asked.ts'
import { one, order, pages } from './letters.ts'
import { came, table, whole } from './lines.ts'

/** make letters. Ends with 1 if what was asked for did not come about, or not for all letters; with 2 if it was not understood. */

const say = (lines: string[]): void => console.log(lines.join('\n'))
const settings = z.object({
  SITE: z.url().default('http://localhost:8080'),
  LIMIT: z.coerce.number().positive().default(60),
  TOKEN: z.string().optional(),
})
/** Who reads our lines may have had enough of them. */
process.stdout.on('error', () => process.exit(0))

helpIfAsked(USAGE)
const { asked, site, isJson } = understood()
try {
  process.exitCode = (await done(asked)) ? 0 : 1
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}

function understood() {
  try {
    const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true })
    const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''))
    return { asked: readAsked(positionals), site: settings.parse(given), isJson: values.json === true }
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
    process.exit(2)
  }
}

/** Whether all that was asked for came about. */
async function done(asked: Asked): Promise<boolean> {
  switch (asked.what) {
    case 'list':
      await list()
      return true
    case 'show': {
      const letter = await one(site, asked.id)
      say(isJson ? [JSON.stringify(letter)] : whole(letter, Date.now()))
      return true
    }
    case 'redrive': {
      const outcome = await order(site, 'redrive', asked.choice)
      say(isJson ? [JSON.stringify(outcome)] : came(outcome))
      return outcome.failures === 0 && (asked.choice.id === undefined || outcome.redriven !== 0)
    }
    case 'discard': {
      const outcome = await order(site, 'discard', { id: asked.id, reason: asked.reason })
      const isGone = outcome.discarded === 1
      say([isJson ? JSON.stringify(outcome) : isGone ? `${asked.id} is discarded` : `There is no letter ${asked.id}.`])
      return isGone
    }
    default:
      return asked satisfies never
  }
}

/** JSON comes as a line a letter. */
async function list(): Promise<void> {
  let count = 0
  for await (const letters of pages(site)) {
    const lines = isJson ? letters.map((letter) => JSON.stringify(letter)) : table(letters, Date.now())
    say(isJson || count === 0 ? lines : lines.slice(1))
    count += letters.length
  }
  console.error(count === 1 ? '1 letter' : `${count} letters`)
}
