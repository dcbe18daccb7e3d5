import { parseArgs } from 'node:util'
import { z } from 'zod'
import type { Site } from '../call.ts'
import { helpIfAsked } from '../help.ts'
import { oneLine } from '../letters/lines.ts'
import { inCollection, inFile } from './documents.ts'
import { importTotal } from './total.ts'
import { type Counts, importTutorials } from './tutorials.ts'

/** make import. Ends with 1 if not all of it could be imported, with 2 if it was not understood. */

const USAGE = `
  make import FILE=tutorials.json                  tutorials of a file: a document a line, as mongoexport writes them, or a JSON
                                                   array, as the GET /api/test of the system before answers
  make import FROM=mongodb://host/database         tutorials of a MongoDB; COLLECTION= names another than tutorials
  make import FILE=... DRY=1                       checks every document and sends nothing
  make import TOTAL=12345                          the running total of all sums of the system before

TOKEN=... says who asks (an administrator; make token USER=administrator has one of make dev), SITE=http://... where (http://localhost:8080), LIMIT= how many seconds to wait for a site that is away (60). Documents that can't be imported are printed, each with its place and the reason. What was imported before has no effect again, so an import that was cut off is repeated as it is.
`

const schema = z
  .object({
    FILE: z.string().optional(),
    FROM: z
      .string()
      .regex(/^mongodb(\+srv)?:\/\//, 'takes mongodb://...')
      .optional(),
    COLLECTION: z.string().default('tutorials'),
    DRY: z.string().optional(),
    TOTAL: z
      .string()
      .regex(/^\s*-?\d{1,16}\s*$/, 'takes an integer')
      .transform(Number)
      .pipe(z.int())
      .optional(),
    SITE: z.url().default('http://localhost:8080'),
    LIMIT: z.coerce.number().positive().default(60),
    TOKEN: z.string().optional(),
  })
  .refine(({ FILE, FROM, TOTAL }) => [FILE, FROM, TOTAL].filter((given) => given !== undefined).length === 1, {
    error: 'one of FILE, FROM and TOTAL says what',
  })
type Settings = z.infer<typeof schema>

const numbers = new Intl.NumberFormat('en')

helpIfAsked(USAGE)
try {
  process.exitCode = (await done(understood())) ? 0 : 1
} catch (error) {
  console.error((error as Error).message)
  // What else is still asked would be asked for in vain.
  process.exit(1)
}

function understood(): Settings {
  try {
    parseArgs({})
    const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''))
    const read = schema.safeParse(given)
    if (read.success) return read.data
    throw new Error(read.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim()).join('\n'))
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
    process.exit(2)
  }
}

/** True when all that was read could be imported. */
async function done(settings: Settings): Promise<boolean> {
  const { FILE, FROM = '', COLLECTION, DRY, TOTAL } = settings
  const site: Site = settings
  const isDry = DRY !== undefined
  if (TOTAL !== undefined) return await isTotalImported(site, TOTAL, isDry)
  const documents = FILE === undefined ? inCollection(FROM, COLLECTION) : inFile(FILE)
  const counts = await importTutorials(site, documents, {
    isDry,
    refused: (at, reason) => console.log(oneLine(`${at}: ${reason}`)),
    progress: (counts) => console.error(`  ${told(counts, isDry)}`),
  })
  console.error(told(counts, isDry))
  if (counts.read === 0) console.error(`There is no document in ${FILE ?? `the collection ${COLLECTION}`}.`)
  return counts.read > 0 && counts.refused === 0
}

async function isTotalImported(site: Site, total: number, isDry: boolean): Promise<boolean> {
  const reason = isDry ? undefined : await importTotal(site, total)
  if (reason === undefined) console.error(`${total} ${isDry ? 'can be imported' : 'is counted, once'}`)
  else console.log(`TOTAL=${total}: ${reason}`)
  return reason === undefined
}

function told({ read, imported, refused }: Counts, isDry: boolean): string {
  const [all, good, bad] = [read, imported, refused].map((count) => numbers.format(count))
  return `${all} read, ${good} ${isDry ? 'can be imported' : 'imported'}, ${bad} refused`
}
