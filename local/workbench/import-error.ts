import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { failureOf } from '#core/failure.ts'

/** Node's report of code that it can not read: the place, some lines, and marks below what is wrong. */
const UNREADABLE = /^(file:\/\/\S+):(\d+)\n(?:.*\n){1,5}?( *)\^/

/** An error of an import in one line, with the author's place first: `domains/orders/rules.ts:12:3 Expected ';'`. */
export function describeImportError(error: unknown): string {
  const { message, frames = [] } = failureOf(error)
  const text = message.replaceAll(`${process.cwd()}/`, '')
  const place = placeIn(error) ?? frames[0]?.split(' ', 1)[0]
  return place === undefined ? text : `${place} ${text}`
}

function placeIn(error: unknown): string | undefined {
  const [, url, line, indent = ''] = UNREADABLE.exec(String((error as Error | undefined)?.stack)) ?? []
  return url && `${relative(process.cwd(), fileURLToPath(url))}:${line}:${indent.length + 1}`
}
