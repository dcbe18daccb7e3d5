import { parseArgs } from 'node:util'
import { z } from 'zod'
import { DEFAULT_SITE } from '../default-site.ts'
import { printHelpIfAsked } from '../help.ts'
import { oneLine } from '../letters/format.ts'
import type { Site } from '../site-client.ts'
import { inCollection, inFile } from './documents.ts'
import { importTotal } from './import-total.ts'
import { type Counts, importTutorials } from './import-tutorials.ts'

/** make import. Exit code 1: a document could not be imported. Exit code 2: the settings are wrong. */

const USAGE = `
  make import FILE=tutorials.json                  tutorials of a file: one document a line, as mongoexport writes them, or a JSON
                                                   array, as GET /api/test of the previous system returns it
  make import FROM=mongodb://host/database         tutorials of a MongoDB; COLLECTION= names another collection than tutorials
  make import FILE=... DRY=1                       checks every document and sends nothing
  make import TOTAL=12345                          the running total of all sums of the previous system

TOKEN=... is an administrator's token (for make dev, make token USER=administrator prints one). SITE=http://... is the site (http://localhost:8080). LIMIT= is the number of seconds to wait for a site that is unavailable (60). Documents that can't be imported are printed, each with its position and the reason. A document has no effect the second time, so an interrupted import can be repeated.
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
    SITE: z.url().default(DEFAULT_SITE),
    LIMIT: z.coerce.number().positive().default(60),
    TOKEN: z.string().optional(),
  })
  .refine(({ FILE, FROM, TOTAL }) => [FILE, FROM, TOTAL].filter((given) => given !== undefined).length === 1, {
    error: 'set exactly one of FILE, FROM and TOTAL',
  })
type Settings = z.infer<typeof schema>

const numbers = new Intl.NumberFormat('en')

printHelpIfAsked(USAGE)
try {
  process.exitCode = (await execute(readSettings())) ? 0 : 1
} catch (error) {
  console.error((error as Error).message)
  // Requests that are still running are useless now.
  process.exit(1)
}

function readSettings(): Settings {
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

/** True when every document could be imported. */
async function execute(settings: Settings): Promise<boolean> {
  const { FILE, FROM = '', COLLECTION, DRY, TOTAL } = settings
  const site: Site = settings
  const isDry = DRY !== undefined
  if (TOTAL !== undefined) return await isTotalImported(site, TOTAL, isDry)
  const documents = FILE === undefined ? inCollection(FROM, COLLECTION) : inFile(FILE)
  const counts = await importTutorials(site, documents, {
    isDry,
    refused: (at, reason) => console.log(oneLine(`${at}: ${reason}`)),
    progress: (counts) => console.error(`  ${summary(counts, isDry)}`),
  })
  console.error(summary(counts, isDry))
  if (counts.read === 0) console.error(`There is no document in ${FILE ?? `the collection ${COLLECTION}`}.`)
  return counts.read > 0 && counts.refused === 0
}

async function isTotalImported(site: Site, total: number, isDry: boolean): Promise<boolean> {
  const reason = isDry ? undefined : await importTotal(site, total)
  if (reason === undefined) console.error(`${total} ${isDry ? 'can be imported' : 'is counted'}`)
  else console.log(`TOTAL=${total}: ${reason}`)
  return reason === undefined
}

function summary({ read, imported, refused }: Counts, isDry: boolean): string {
  const [all, good, bad] = [read, imported, refused].map((count) => numbers.format(count))
  return `${all} read, ${good} ${isDry ? 'can be imported' : 'imported'}, ${bad} refused`
}
