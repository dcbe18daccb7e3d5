import protobuf, { type Field, type MapField, type OneOf, type Type } from 'protobufjs'
import type { Fields, Json } from '#domains/domain.ts'
import { int32, type Scalar, scalars } from './scalars.ts'
import { END_GROUP, FIXED32, FIXED64, GROUP, LENGTH, MAX_DEPTH, MalformedMessage, VARINT, WireReader } from './wire.ts'

/** Parses the bytes of a message. Throws `MalformedMessage` for bytes that are not a message of the type. */
export type ReadMessage = (bytes: Buffer) => Fields

/**
 * The reader of a message type. A message has every field, with its default. Of a oneof it has only the field that is set, and the name
 * of that field under the name of the oneof. 64-bit integers are strings of digits, enums are names, bytes are base64. Unknown fields are
 * ignored. A known field with a wrong wire type is malformed, because ignoring it would change the message.
 */
export function messageReader(type: Type): ReadMessage {
  const shape = shapeOf(type, new Map())
  return (bytes) => {
    const reader = new WireReader(bytes)
    const message = shape.empty()
    readFields(reader, shape, message)
    return message
  }
}

interface Shape {
  name: string
  /** A new message with the defaults. */
  empty(): Fields
  fields: Map<number, KnownField>
  /** The names of required fields, which only proto2 has. */
  required: string[]
}

interface KnownField {
  name: string
  wire: number
  /** Reads the value. A message is merged into `before`. */
  read(reader: WireReader, before: Json | undefined): Json
  kind: 'single' | 'repeated' | 'map'
  isPackable: boolean
  oneof: OneOf | null
}

function readFields(reader: WireReader, shape: Shape, message: Fields, group?: number): void {
  if (reader.depth++ > MAX_DEPTH) throw new MalformedMessage(`it has more than ${MAX_DEPTH} nested levels`)
  const seen = shape.required.length > 0 ? new Set<string>() : undefined
  let isOpen = true
  while (isOpen && reader.at < reader.end) {
    const tag = reader.tag()
    const field = shape.fields.get(tag >>> 3)
    if ((tag & 7) === END_GROUP && tag >>> 3 === group) isOpen = false
    else if (field) {
      readField(reader, field, message, tag & 7)
      seen?.add(field.name)
    } else reader.skip(tag)
  }
  if (group !== undefined && isOpen) throw new MalformedMessage('a group does not end')
  const missing = shape.required.find((name) => !seen?.has(name))
  if (missing !== undefined) throw new MalformedMessage(`${missing} is missing`)
  reader.depth--
}

function readField(reader: WireReader, field: KnownField, message: Fields, wire: number): void {
  const { name, kind, isPackable } = field
  if (kind === 'repeated' && isPackable && wire === LENGTH) {
    const values = message[name] as Json[]
    readDelimited(reader, () => {
      while (reader.at < reader.end) values.push(field.read(reader, undefined))
    })
    return
  }
  if (wire !== field.wire) throw new MalformedMessage(`${name} has the wrong wire type`)
  switch (kind) {
    case 'single': {
      const value = field.read(reader, message[name])
      for (const other of field.oneof?.oneof ?? []) if (other !== name) delete message[other]
      if (field.oneof) message[field.oneof.name] = name
      message[name] = value
      break
    }
    case 'repeated':
      ;(message[name] as Json[]).push(field.read(reader, undefined))
      break
    case 'map':
      field.read(reader, message[name])
      break
    default:
      kind satisfies never
  }
}

/** Reads a length-delimited value, and nothing after its end. */
function readDelimited(reader: WireReader, read: () => void): void {
  const { end } = reader
  reader.end = reader.length() + reader.at
  read()
  reader.end = end
}

const DEFAULTS = { longs: String, enums: String, bytes: String, defaults: true }

function shapeOf(type: Type, known: Map<Type, Shape>): Shape {
  const before = known.get(type)
  if (before) return before
  const empty = () => type.toObject(type.create(), DEFAULTS) as Fields
  const required = type.fieldsArray.filter((field) => field.required).map(({ name }) => name)
  const shape: Shape = { name: type.name, empty, fields: new Map(), required }
  known.set(type, shape)
  for (const field of type.fieldsArray) shape.fields.set(field.id, knownField(field.resolve(), known))
  return shape
}

function knownField(field: Field, known: Map<Type, Shape>): KnownField {
  const { name, partOf: oneof } = field
  if (field instanceof protobuf.MapField) {
    return { name, kind: 'map', wire: LENGTH, read: mapReader(field, known), isPackable: false, oneof }
  }
  const { wire, read } = valueReader(field, known)
  const isPackable = wire === VARINT || wire === FIXED32 || wire === FIXED64
  return { name, kind: field.repeated ? 'repeated' : 'single', wire, read, isPackable, oneof }
}

type ValueReader = Pick<KnownField, 'wire' | 'read'>

type Valued = Pick<Field, 'type' | 'resolvedType' | 'id'> & { delimited?: boolean }

function valueReader({ type, resolvedType, id, delimited }: Valued, known: Map<Type, Shape>): ValueReader {
  if (resolvedType instanceof protobuf.Enum) {
    const { valuesById } = resolvedType
    return { wire: VARINT, read: (reader) => valuesById[int32(reader)] ?? reader.low | 0 }
  }
  if (!resolvedType) return scalars[type as Scalar]
  const shape = shapeOf(resolvedType, known)
  return {
    wire: delimited ? GROUP : LENGTH,
    read(reader, before) {
      const message = (before as Fields | null | undefined) ?? shape.empty()
      if (delimited) readFields(reader, shape, message, id)
      else readDelimited(reader, () => readFields(reader, shape, message))
      return message
    },
  }
}

/** The reader of map entries. An entry is a message with the key as field 1 and the value as field 2. */
function mapReader(field: MapField, known: Map<Type, Shape>): KnownField['read'] {
  const key = scalars[field.keyType as Scalar]
  const value = valueReader(field, known)
  const defaultKey = key.read(new WireReader(Buffer.alloc(8)))
  const defaultValue = (): Json => value.read(new WireReader(Buffer.alloc(8)), undefined)
  const member = (name: string, { wire, read }: ValueReader): KnownField => ({
    name,
    kind: 'single',
    wire,
    read,
    isPackable: false,
    oneof: null,
  })
  const fields = new Map([
    [1, member('key', key)],
    [2, member('value', value)],
  ])
  const entries: Shape = {
    name: field.name,
    empty: () => ({ key: defaultKey, value: defaultValue() }),
    fields,
    required: [],
  }
  return (reader, before) => {
    const entry = entries.empty()
    readDelimited(reader, () => readFields(reader, entries, entry))
    if (entry.key === '__proto__')
      throw new MalformedMessage(`${field.name} has the key __proto__, which is not allowed`)
    const map = before as Fields
    map[String(entry.key)] = entry.value as Json
    return map
  }
}
