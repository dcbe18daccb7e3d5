import { isUtf8 } from 'node:buffer'

export const VARINT = 0
export const FIXED64 = 1
export const LENGTH = 2
export const GROUP = 3
export const END_GROUP = 4
export const FIXED32 = 5

/** The nesting depth of messages and groups that other implementations support. */
export const MAX_DEPTH = 100

/** The bytes are not a message of the expected type. */
export class MalformedMessage extends Error {
  override name = 'MalformedMessage'
}

/** Reads the wire format of Protocol Buffers. Throws `MalformedMessage` for bytes that violate it. */
export class WireReader {
  readonly bytes: Buffer
  at = 0
  /** The end of the current message. */
  end: number
  /** The last varint, in two halves of 32 bits. */
  low = 0
  high = 0
  /** The number of messages and groups that are being read. */
  depth = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.end = bytes.length
  }

  /** Reads a varint of 64 bits into `low` and `high`. */
  varint(): void {
    let [low, high] = [0, 0]
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at === this.end) throw new MalformedMessage('it ends inside a number')
      const byte = this.bytes[this.at++] as number
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (shift - 32)
      if (byte < 0x80) {
        if (shift === 63 && byte > 1) break
        this.low = low >>> 0
        this.high = high >>> 0
        return
      }
    }
    throw new MalformedMessage('a number has more than 64 bits')
  }

  /** A tag or a length, in at most five bytes. */
  #uint32(what: string): number {
    const begin = this.at
    this.varint()
    if (this.high !== 0 || this.at - begin > 5) throw new MalformedMessage(`a ${what} has more than 32 bits`)
    return this.low
  }

  /** The number of the next field, and its wire type in the three lowest bits. */
  tag(): number {
    const tag = this.#uint32('tag')
    if (tag >>> 3 === 0) throw new MalformedMessage('field number 0 is not allowed')
    if ((tag & 7) > FIXED32) throw new MalformedMessage(`wire type ${tag & 7} does not exist`)
    return tag
  }

  /** The length of a value that lies within the current message. */
  length(): number {
    const length = this.#uint32('length')
    if (length > this.end - this.at) throw new MalformedMessage('a length is beyond the end of its message')
    return length
  }

  /** The position of a value with a fixed number of bytes. Skips the value. */
  fixed(bytes: 4 | 8): number {
    if (bytes > this.end - this.at) throw new MalformedMessage('it ends inside a number')
    this.at += bytes
    return this.at - bytes
  }

  /** The bytes of a value with a length. */
  delimited(): Buffer {
    const length = this.length()
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  string(): string {
    const bytes = this.delimited()
    if (!isUtf8(bytes)) throw new MalformedMessage('a string is not UTF-8')
    return bytes.toString('utf8')
  }

  /** Skips an unknown field. */
  skip(tag: number): void {
    switch (tag & 7) {
      case VARINT:
        this.varint()
        break
      case FIXED64:
        this.fixed(8)
        break
      case FIXED32:
        this.fixed(4)
        break
      case LENGTH:
        this.delimited()
        break
      case GROUP:
        this.#skipGroup(tag >>> 3)
        break
      default:
        throw new MalformedMessage('a group ends without a beginning')
    }
  }

  #skipGroup(number: number): void {
    if (this.depth++ > MAX_DEPTH) throw new MalformedMessage(`it has more than ${MAX_DEPTH} nested levels`)
    for (;;) {
      const tag = this.tag()
      if ((tag & 7) !== END_GROUP) this.skip(tag)
      else if (tag >>> 3 !== number) throw new MalformedMessage('a group ends without a beginning')
      else break
    }
    this.depth--
  }
}
