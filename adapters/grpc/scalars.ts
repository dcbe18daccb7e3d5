import type { Json } from '#domains/domain.ts'
import { FIXED32, FIXED64, LENGTH, VARINT, type WireReader } from './wire.ts'

export type Scalar = keyof typeof scalars

export function int32(reader: WireReader): number {
  reader.varint()
  return reader.low | 0
}

function uint64(reader: WireReader): bigint {
  reader.varint()
  return (BigInt(reader.high) << 32n) | BigInt(reader.low)
}

const zigzag = (value: bigint): bigint => (value >> 1n) ^ -(value & 1n)

const scalar = (wire: number, read: (reader: WireReader) => Json) => ({ wire, read })

/** The readers of the scalar types. A 32-bit integer is the lowest 32 bits of the sent number, as the standard says. */
export const scalars = {
  double: scalar(FIXED64, (reader) => reader.bytes.readDoubleLE(reader.fixed(8))),
  float: scalar(FIXED32, (reader) => reader.bytes.readFloatLE(reader.fixed(4))),
  int32: scalar(VARINT, int32),
  uint32: scalar(VARINT, (reader) => int32(reader) >>> 0),
  sint32: scalar(VARINT, (reader) => (int32(reader) >>> 1) ^ -(reader.low & 1)),
  fixed32: scalar(FIXED32, (reader) => reader.bytes.readUInt32LE(reader.fixed(4))),
  sfixed32: scalar(FIXED32, (reader) => reader.bytes.readInt32LE(reader.fixed(4))),
  int64: scalar(VARINT, (reader) => String(BigInt.asIntN(64, uint64(reader)))),
  uint64: scalar(VARINT, (reader) => String(uint64(reader))),
  sint64: scalar(VARINT, (reader) => String(zigzag(uint64(reader)))),
  fixed64: scalar(FIXED64, (reader) => String(reader.bytes.readBigUInt64LE(reader.fixed(8)))),
  sfixed64: scalar(FIXED64, (reader) => String(reader.bytes.readBigInt64LE(reader.fixed(8)))),
  bool: scalar(VARINT, (reader) => {
    reader.varint()
    return reader.low !== 0 || reader.high !== 0
  }),
  string: scalar(LENGTH, (reader) => reader.string()),
  bytes: scalar(LENGTH, (reader) => reader.delimited().toString('base64')),
}
