import { z } from 'zod'
import { LETTER_PATH, LETTERS_PATH, LETTERS_SCOPE, OVERVIEW_PATH, RECEIPT_PATH } from '#core/registry.ts'
import type { Described } from './queries.ts'

/** What a client is told of a command that the log has. */
export const accepted = z.object({
  id: z.string().describe('The command id'),
  status: z.enum(['pending', 'applied']),
  receipt: z.string().describe('The path of its receipt; `?after=` takes it'),
})

const receipt = z.object({
  id: z.string(),
  status: z.enum(['pending', 'applied', 'rejected', 'parked']),
  reason: z.string().optional().describe('Why it was rejected or parked'),
  isStale: z.literal(true).optional().describe('The stream was not at the version of If-Match'),
  reusedKey: z.literal(true).optional().describe('Its key stands for another command, which was there first'),
})

const letter = z.object({
  id: z.string().describe('Its own: that of its command, unless another letter has that'),
  command: z.string().optional().describe('The id of its command'),
  at: z.iso.datetime(),
  domain: z.string(),
  stream: z.string(),
  error: z.string(),
  attempts: z.int(),
  verdict: z
    .enum(['sealed', 'plain', 'trusted', 'refused'])
    .optional()
    .describe('How far persist believes the record: sealed by publish, plain, unsealed and trusted, or refused'),
  isPast: z.literal(true).optional().describe('Accepted before the horizon: it may have taken effect'),
  record: z.object({
    topic: z.string(),
    partition: z.int().nullable(),
    offset: z.int().nullable(),
  }),
  event: z.looseObject({ id: z.string(), type: z.string() }).describe('The CloudEvent as it was delivered'),
  key: z.string().optional().describe('Of a parked stream'),
  number: z.int().optional().describe('Its place behind the first letter of a parked stream'),
})

const overview = z.object({
  parts: z.looseObject({}).describe('By name, each as its own route answers it'),
  missing: z
    .array(z.object({ part: z.string(), reason: z.string() }))
    .describe('Parts that are away, late or not allowed'),
})

/** What query answers for no domain. */
export const core: Described[] = [
  {
    answers: 'one',
    path: OVERVIEW_PATH,
    name: 'overview.all',
    isPersonal: true,
    summary: 'Several reads in one response: the total of sums, the latest tutorials and what other domains add',
    item: overview,
  },
  {
    answers: 'one',
    path: RECEIPT_PATH,
    name: 'receipts.one',
    summary: 'The outcome of a command: pending, applied, rejected or parked',
    item: receipt,
  },
  {
    answers: 'page',
    path: LETTERS_PATH,
    name: 'letters.list',
    scope: LETTERS_SCOPE,
    summary: 'Letters, the commands that could not be applied',
    item: letter,
  },
  {
    answers: 'one',
    path: LETTER_PATH,
    name: 'letters.one',
    scope: LETTERS_SCOPE,
    summary: 'A letter',
    item: letter,
  },
]
