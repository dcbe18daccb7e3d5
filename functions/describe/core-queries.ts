import { z } from 'zod'
import { RECEIPT_PATH } from '#core/receipts.ts'
import { LETTER_PATH, LETTERS_PATH, LETTERS_SCOPE, OVERVIEW_PATH } from '#core/registry.ts'
import type { QueryDescription } from './query-operations.ts'

/** The response to a command that is durable. */
export const accepted = z.object({
  id: z.string().describe('The command id'),
  status: z.enum(['pending', 'applied']),
  receipt: z.string().describe('The path of the receipt, also for `?after=`'),
})

const receipt = z.object({
  id: z.string(),
  status: z.enum(['pending', 'applied', 'rejected', 'parked']),
  reason: z
    .string()
    .optional()
    .describe(
      'The reason why the command was rejected, or the id of the letter of a parked one. The error is in the letter',
    ),
  isStale: z.literal(true).optional().describe('The stream did not have the version in If-Match'),
  reusedKey: z.literal(true).optional().describe('An earlier command has the same key and another body'),
})

const letter = z.object({
  id: z.string().describe('The id of the letter: that of its command, unless another letter has it'),
  command: z.string().optional().describe('The id of the command'),
  at: z.iso.datetime(),
  domain: z.string(),
  type: z.string().optional().describe('The type of the command'),
  stream: z.string(),
  error: z.string(),
  frames: z
    .array(z.string())
    .optional()
    .describe('The places in the code of the domain where it failed, the innermost first: file:line:column function'),
  attempts: z.int(),
  verdict: z
    .enum(['sealed', 'plain', 'trusted', 'refused'])
    .optional()
    .describe('How persist classified the record: sealed by publish, plain, trusted without a seal, or refused'),
  isPast: z
    .literal(true)
    .optional()
    .describe('The command was accepted before the horizon, so it may have taken effect'),
  record: z.object({
    topic: z.string(),
    partition: z.int().nullable(),
    offset: z.int().nullable(),
  }),
  event: z.looseObject({ id: z.string(), type: z.string() }).describe('The CloudEvent as it was delivered'),
  key: z.string().optional().describe('The key of the parked stream'),
  number: z.int().optional().describe('The position after the first letter of the parked stream'),
})

const overview = z.object({
  parts: z.looseObject({}).describe('The parts by name, each as its own route answers it'),
  missing: z
    .array(z.object({ part: z.string(), reason: z.string() }))
    .describe('The parts that are unavailable, late or not allowed'),
})

/** The queries that belong to no domain. */
export const coreQueries: QueryDescription[] = [
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
