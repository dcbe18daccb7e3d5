import { createReadStream } from 'node:fs'
import { BSON, MongoClient } from 'mongodb'

/** A document of the previous system with its position: a file and line, or a collection and id. */
export type Found = { at: string } & ({ document: unknown } | { reason: string })

/** Larger than the JSON of MongoDB's largest document. */
const LONGEST_LINE = 64 * 1024 * 1024
const LARGEST_ARRAY = 256 * 1024 * 1024

const NEWLINE = '\n'.charCodeAt(0)

/** The documents of a file: one a line, as mongoexport writes them, or a JSON array. */
export async function* inFile(path: string): AsyncGenerator<Found> {
  let number = 0
  let isArray: boolean | undefined
  const array: Buffer[] = []
  for await (const line of linesOf(createReadStream(path))) {
    number++
    isArray ??= isBlank(line) ? undefined : /^\s*\[/.test(line.toString('utf8', 0, 1000))
    if (isArray) array.push(line)
    else if (!isBlank(line)) yield { at: `${path}:${number}`, ...parsed(line) }
  }
  if (isArray) yield* itemsOf(path, array)
}

/** The documents of a collection that Millrace did not write, in the order of their ids. */
export async function* inCollection(uri: string, name: string): AsyncGenerator<Found> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5000 })
  try {
    const found = client
      .db()
      .collection(name)
      .find({ _hash: { $exists: false } })
      .sort({ _id: 1 })
    for await (const document of found) {
      yield { at: `${name} ${document._id}`, document: BSON.EJSON.serialize(document) }
    }
  } finally {
    await client.close()
  }
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, end)])
      rest = []
      length = 0
      from = end + 1
    }
    rest.push(chunk.subarray(from))
    length += chunk.length - from
    if (length > LONGEST_LINE) throw new Error(`a line has more than ${LONGEST_LINE} bytes`)
  }
  if (length > 0) yield Buffer.concat(rest)
}

const isBlank = (line: Buffer): boolean => line.every((byte) => byte <= 0x20)

const decoder = new TextDecoder('utf-8', { fatal: true })

function parsed(text: Buffer): { document: unknown } | { reason: string } {
  try {
    return { document: JSON.parse(decoder.decode(text)) }
  } catch (error) {
    return { reason: (error as Error).message }
  }
}

function* itemsOf(path: string, lines: Buffer[]): Generator<Found> {
  const size = lines.reduce((sum, { length }) => sum + length + 1, 0)
  if (size > LARGEST_ARRAY) {
    throw new Error(`${path}: an array of more than ${LARGEST_ARRAY} bytes. Export one document a line.`)
  }
  const read = parsed(Buffer.concat(lines.flatMap((line) => [line, Buffer.of(NEWLINE)])))
  if ('reason' in read) throw new Error(`${path}: ${read.reason}`)
  for (const [index, document] of (read.document as unknown[]).entries()) {
    yield { at: `${path} item ${index + 1}`, document }
  }
}
