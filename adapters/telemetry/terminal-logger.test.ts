import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { lineOf, terminalLogger } from './terminal-logger.ts'

const now = new Date(2026, 0, 2, 12, 1, 2)
const plain = (...given: [Parameters<typeof lineOf>[0], object, string]) =>
  stripVTControlCharacters(lineOf(given[0], given[1] as Parameters<typeof lineOf>[1], given[2], now))

const fields = { command: 'id', trace: 't', status: 204, type: 'orders.pay', stream: 'order/1', actor: 'ada', ms: 12 }

test.each([
  ['applied', fields, '12:01:02  applied  orders.pay  order/1  ada  12 ms'],
  [
    'rejected',
    { ...fields, rejected: 'it is paid' },
    '12:01:02  rejected  orders.pay  order/1  ada  12 ms  it is paid',
  ],
])('a command that is %s is a line with its type, stream, caller, time and reason', (message, fields, line) => {
  expect(plain('debug', fields, message)).toBe(line)
})

test('a bug shows its places below the line', () => {
  const bug = {
    command: 'id',
    type: 'orders.pay',
    stream: 'order/1',
    detail: 'no sum',
    frames: ['domains/orders/domain.ts:1:2 pay'],
  }
  expect(plain('warn', bug, 'not applied')).toBe(
    '12:01:02  not applied  orders.pay  order/1  no sum\n          at domains/orders/domain.ts:1:2 pay',
  )
})

test('another entry has its message, its error and its fields', () => {
  const err = new Error('connect ECONNREFUSED 127.0.0.1:9092')
  expect(plain('warn', { err, part: 'log' }, 'waiting')).toBe(
    '12:01:02  waiting  connect ECONNREFUSED 127.0.0.1:9092  part=log',
  )
})

test('entries below the level are left out', () => {
  const lines: string[] = []
  const logger = terminalLogger('warn', (line) => lines.push(line))
  logger.info({}, 'left out')
  logger.warn({}, 'there')
  terminalLogger('silent', (line) => lines.push(line)).fatal({}, 'left out')
  expect(lines).toHaveLength(1)
})

test('the outcome of a command is shown at debug, and what leads to it at trace', () => {
  const shown = (level: string) => {
    const lines: string[] = []
    const logger = terminalLogger(level, (line) => lines.push(stripVTControlCharacters(line).trim().slice(10)))
    logger.debug({}, 'a command was appended')
    logger.debug({}, 'applied')
    return lines
  }
  expect(shown('debug')).toEqual(['applied'])
  expect(shown('trace')).toEqual(['a command was appended', 'applied'])
  expect(shown('info')).toEqual([])
})
