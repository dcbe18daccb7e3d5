import { expect, test } from 'vitest'
import { readText } from './read-text.ts'

const read = (type: string | undefined, body: string | Buffer) =>
  readText({ headers: type === undefined ? {} : { 'content-type': type }, body: Buffer.from(body as string) })
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

test.each([
  ['text/plain', 'Grüße', 'Grüße'],
  [undefined, 'Grüße', 'Grüße'],
  ['text/html', '<b>Grüße</b>', '<b>Grüße</b>'],
  ['application/octet-stream', 'Grüße', 'Grüße'],
  ['application/x-www-form-urlencoded', 'Learn+to%20mill=&x=Grüße', 'Learn+to%20mill=&x=Grüße'],
  ['application/json', 'Learn to mill', 'Learn to mill'],
  ['application/json', '[draft] Learn', '[draft] Learn'],
  ['application/json', '"quoted"', '"quoted"'],
  ['text/plain', '{"title":"a"}', '{"title":"a"}'],
  ['text/plain; charset=UTF-8', 'Grüße', 'Grüße'],
  ['text/plain; format=flowed; charset="utf-8"', 'Grüße', 'Grüße'],
  ['text/plain;charset=iso-8859-1', hex('47 72 fc df 65 80 85'), 'Grüße\u0080\u0085'],
  ['text/plain; Charset=ISO-8859-1', hex('fc'), 'ü'],
  ['text/plain; charset=latin1', hex('fc'), 'ü'],
  ['text/plain; charset=windows-1252', hex('80 fc'), '€ü'],
  ['text/plain; charset=iso-8859-15', hex('a4'), '€'],
  ['text/plain; charset=us-ascii', 'plain', 'plain'],
  ['text/plain; charset=utf-16', hex('fe ff 00 fc'), 'ü'],
  ['text/plain; charset=utf-16', hex('ff fe fc 00'), 'ü'],
  ['text/plain; charset=utf-16', hex('00 fc'), 'ü'],
  ['text/plain; charset=utf-16le', hex('fc 00'), 'ü'],
  ['text/plain; charset=shift_jis', hex('83 65'), 'テ'],
])('%s: %s is read as %s', (type, body, text) => {
  expect(read(type, body)).toBe(text)
})

test.each([
  ['text/plain', hex('fc'), 400, 'not valid UTF-8'],
  ['application/x-www-form-urlencoded', hex('fc'), 400, 'not valid UTF-8'],
  ['text/plain; charset=us-ascii', hex('fc'), 400, 'not valid US-ASCII'],
  ['text/plain; charset=utf-16', hex('d8 00'), 400, 'not valid UTF-16'],
  ['text/plain; charset=klingon', 'a', 415, 'The charset klingon is unknown'],
  ['text/plain; charset=utf-7', 'a', 415, 'The charset utf-7 is unknown'],
  ['text/plain; charset=iso-2022-kr', 'a', 415, 'The charset iso-2022-kr is unknown'],
  ['application/json', '{"title":"a"}', 415, 'not JSON'],
  ['application/vnd.api+json; charset=utf-8', ' [1]', 415, 'not JSON'],
])('%s: %s is refused with %d', (type, body, status, detail) => {
  expect(() => read(type, body)).toThrow(expect.objectContaining({ status, message: expect.stringContaining(detail) }))
})
