import fc from 'fast-check'
import protobuf from 'protobufjs'
import { expect, test } from 'vitest'
import { KITCHEN_SINK, messages } from '#test/proto.ts'
import { messageReader } from './message.ts'
import { MalformedMessage } from './wire.ts'

const { root } = protobuf.parse(KITCHEN_SINK, { keepCase: true })
const type = root.resolveAll().lookup('All') as protobuf.Type
const read = messageReader(type)
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

const EMPTY = read(Buffer.alloc(0))

test('every field has its default, except those of a oneof', () => {
  expect(EMPTY).toEqual({
    f_double: 0,
    f_float: 0,
    f_int32: 0,
    f_uint32: 0,
    f_sint32: 0,
    f_fixed32: 0,
    f_sfixed32: 0,
    f_int64: '0',
    f_uint64: '0',
    f_sint64: '0',
    f_fixed64: '0',
    f_sfixed64: '0',
    f_bool: false,
    f_string: '',
    f_bytes: '',
    f_color: 'RED',
    f_all: null,
    r_int32: [],
    r_string: [],
    r_double: [],
    r_color: [],
    r_all: [],
    m_string: {},
    m_int64: {},
    m_all: {},
  })
})

test.each([
  ['a negative int32 in ten bytes', '18 ff ff ff ff ff ff ff ff ff 01', { f_int32: -1 }],
  ['a negative int32 in five bytes', '18 ff ff ff ff 0f', { f_int32: -1 }],
  ['an int32 with bits beyond 32, of which the lowest count', '18 85 80 80 80 10', { f_int32: 5 }],
  ['a varint that is longer than necessary', '18 85 80 00', { f_int32: 5 }],
  ['the last of two values', '18 05 18 06', { f_int32: 6 }],
  ['the largest uint64', '48 ff ff ff ff ff ff ff ff ff 01', { f_uint64: '18446744073709551615' }],
  ['the smallest sint64', '50 ff ff ff ff ff ff ff ff ff 01', { f_sint64: '-9223372036854775808' }],
  ['a bool in the high bits', '68 80 80 80 80 10', { f_bool: true }],
  ['an unknown enum value', '80 01 07', { f_color: 7 }],
  ['a message in two parts', '8a 01 02 18 05 8a 01 02 20 06', { f_all: { ...EMPTY, f_int32: 5, f_uint32: 6 } }],
  ['packed numbers and single ones', '92 01 02 01 02 90 01 03 92 01 00', { r_int32: [1, 2, 3] }],
  ['the last of a oneof', 'd0 01 01 da 01 01 61', { choice: 'c_string', c_string: 'a' }],
  ['an optional field that is set to its default', 'e0 01 00', { _o_int32: 'o_int32', o_int32: 0 }],
  ['an entry of a map without key and value', 'b2 01 00', { m_string: { '': 0 } }],
  ['the last entry of a key', 'b2 01 05 0a 01 61 10 01 b2 01 05 0a 01 61 10 02', { m_string: { a: 2 } }],
  ['an entry with a message', 'c2 01 06 08 01 12 02 18 05', { m_all: { true: { ...EMPTY, f_int32: 5 } } }],
  ['a 64-bit key', 'ba 01 0b 08 ff ff ff ff ff ff ff ff ff 01', { m_int64: { '-1': '' } }],
  ['fields that nobody knows', 'c0 3e 05 c1 3e 0000000000000000 c2 3e 01 ff c5 3e 00000000', {}],
  ['a group that nobody knows', 'c3 3e 08 05 13 14 c4 3e', {}],
])('%s: %s', (_, bytes, fields) => {
  expect(read(hex(bytes))).toEqual({ ...EMPTY, ...fields })
})

test.each([
  ['a group in a number', '1b 05 1c', 'f_int32 has the wrong wire type'],
  ['a group in a number, with field 0 in it', '1b 05 20 06', 'f_int32 has the wrong wire type'],
  ['a length in a number', '1a 01 05', 'f_int32 has the wrong wire type'],
  ['a number in a string', '70 05', 'f_string has the wrong wire type'],
  ['a fixed number in a message', '8d 01 00000000', 'f_all has the wrong wire type'],
  ['32 bits in a double', '0d 00000000', 'f_double has the wrong wire type'],
  ['field 0', '00 05', 'field number 0'],
  ['an undefined wire type', '1e', 'wire type 6'],
  ['half a tag', '98', 'ends inside'],
  ['a missing number', '18', 'ends inside'],
  ['half a number', '18 80', 'ends inside'],
  ['half a double', '09 00000000', 'ends inside'],
  ['a number of more than 64 bits', '18 ff ff ff ff ff ff ff ff ff 02', '64 bits'],
  ['a number that does not end', '18 ff ff ff ff ff ff ff ff ff ff 01', '64 bits'],
  ['a tag of more than 32 bits', '98 80 80 80 10 05', '32 bits'],
  ['a string that is longer than the message', '72 05 61 62', 'beyond the end'],
  ['a length of 4 GiB', '72 ff ff ff ff 0f 61', 'beyond the end'],
  ['a string that is not UTF-8', '72 01 ff', 'not UTF-8'],
  ['half a surrogate pair', '72 03 ed a0 80', 'not UTF-8'],
  ['a list with a string that is not UTF-8', '9a 01 01 ff', 'not UTF-8'],
  ['a key that is not UTF-8', 'b2 01 03 0a 01 ff', 'not UTF-8'],
  ['a message that is longer than the one around it', '8a 01 02 72 05 61 61 61 61 61', 'beyond the end'],
  ['packed numbers that end inside one', '92 01 01 80', 'ends inside'],
  ['packed doubles that end inside one', 'a2 01 07 00000000000000', 'ends inside'],
  ['the end of a group without its beginning', '1c', 'f_int32 has the wrong wire type'],
  ['the end of an unknown group', 'c4 3e', 'without a beginning'],
  ['a group that does not end', 'c3 3e 08 05', 'ends inside'],
  ['a group with the end of another one', 'c3 3e cc 3e', 'without a beginning'],
  ['a key __proto__', 'b2 01 0b 0a 09 5f5f70726f746f5f5f', '__proto__'],
])('%s is refused', (_, bytes, reason) => {
  expect(() => read(hex(bytes))).toThrow(MalformedMessage)
  expect(() => read(hex(bytes))).toThrow(reason)
})

test('messages and groups are read to a depth that the call stack allows', () => {
  const nest = (times: number) => {
    let bytes = Buffer.alloc(0)
    for (let depth = 0; depth < times; depth++) {
      bytes = Buffer.concat([hex('8a01'), new protobuf.Writer().uint32(bytes.length).finish(), bytes])
    }
    return bytes
  }
  expect(() => read(nest(100))).not.toThrow()
  expect(() => read(nest(101))).toThrow('more than 100 nested levels')
  const groups = Buffer.concat(Array.from({ length: 100_000 }, () => hex('c33e')))
  expect(() => read(groups)).toThrow('more than 100 nested levels')
})

test('a group of proto2 is a message, and a required field must be set', () => {
  const old = protobuf.parse(
    'syntax = "proto2"; message Old { required int32 a = 1; repeated group Part = 2 { optional string b = 1; } }',
    { keepCase: true },
  )
  const read = messageReader(old.root.resolveAll().lookup('Old') as protobuf.Type)
  expect(read(hex('08 05 13 0a 01 61 14 13 14'))).toEqual({ a: 5, part: [{ b: 'a' }, { b: '' }] })
  expect(() => read(hex('13 14'))).toThrow('a is missing')
  expect(() => read(hex('08 05 13 0a 01 61'))).toThrow('does not end')
  expect(() => read(hex('08 05 12 00'))).toThrow('part has the wrong wire type')
})

/** An independent encoder. Its output is a valid message with the given fields. */
test('every message that protobufjs writes is read unchanged', () => {
  fc.assert(
    fc.property(messages(false), (message) => {
      const bytes = Buffer.from(type.encode(type.fromObject(message)).finish())
      const options = { longs: String, enums: String, bytes: String, defaults: true, oneofs: true }
      expect(read(bytes)).toEqual(type.toObject(type.decode(bytes), options))
    }),
  )
})

test('arbitrary bytes are a message or are refused as malformed', () => {
  const bytes = fc.uint8Array({ maxLength: 40 })
  fc.assert(
    fc.property(bytes, (bytes) => {
      try {
        expect(Object.keys(read(Buffer.from(bytes)))).toEqual(expect.arrayContaining(Object.keys(EMPTY)))
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMessage)
      }
    }),
    { numRuns: 2000 },
  )
})
