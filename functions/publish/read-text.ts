import { TextDecoder } from 'node:util'
import { Problem } from '#core/problem.ts'
import type { Request } from '#core/request.ts'

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]+)/i
/** Names of ISO 8859-1, which TextDecoder would decode as windows-1252. */
const LATIN_1 = /^(latin-?1|l1|iso[-_]?8859-1(:1987)?|iso-ir-100|cp819|ibm819|csisolatin1)$/
const ASCII = /^(us-)?ascii$|^ansi_x3\.4-1968$/
const ANY_JSON_TYPE = /^[\w.+-]+\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i

/**
 * The body as text of any media type, in the charset of its content type, or else in UTF-8. A form is not decoded further. Throws 415
 * for an unknown charset, and for a JSON object or list, which is meant for another route. Throws 400 for bytes that the charset does
 * not have.
 */
export function readText({ headers, body }: Pick<Request, 'headers' | 'body'>): string {
  const { 'content-type': type = '' } = headers
  const text = decode(body, (CHARSET.exec(type)?.[1] ?? 'utf-8').toLowerCase())
  if (ANY_JSON_TYPE.test(type) && isStructure(text)) throw unsupported('Send text, not JSON.')
  return text
}

function decode(body: Buffer, charset: string): string {
  if (LATIN_1.test(charset)) return body.toString('latin1')
  if (ASCII.test(charset) && body.every((byte) => byte < 0x80)) return body.toString('latin1')
  const decoder = ASCII.test(charset) ? undefined : decoderOf(charset === 'utf-16' ? byteOrderOf(body) : charset)
  try {
    if (decoder) return decoder.decode(body)
  } catch (cause) {
    throw invalidBytes(charset, cause)
  }
  throw invalidBytes(charset)
}

function decoderOf(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset, { fatal: true })
  } catch (cause) {
    throw unsupported(`The charset ${charset.slice(0, 64)} is unknown.`, cause)
  }
}

/** RFC 2781: big-endian, unless a byte order mark says otherwise. */
const byteOrderOf = (body: Buffer): string => (body[0] === 0xff && body[1] === 0xfe ? 'utf-16le' : 'utf-16be')

function isStructure(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const invalidBytes = (charset: string, cause?: unknown): Problem =>
  new Problem(400, 'Malformed body', `The body is not valid ${charset.toUpperCase()}.`, { cause })

const unsupported = (detail: string, cause?: unknown): Problem =>
  new Problem(415, 'Unsupported media type', detail, { cause, headers: { 'accept-post': 'text/plain' } })
