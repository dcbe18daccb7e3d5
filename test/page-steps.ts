import { readFileSync } from 'node:fs'
import { readCommands, type Shown } from './shown-commands.ts'

/** A block of a page in its order: a whole file, a change of the file before it, or commands to type. */
export type Step = { path: string; text: string } | { change: string } | { commands: Shown[] }

/** The steps of a page. The first line of a block of code is a comment that says what to do with the rest. */
export function stepsOf(page: string): Step[] {
  const blocks = readFileSync(page, 'utf8').matchAll(/^```(ts|sh)\n([\s\S]*?)^```/gm)
  return [...blocks].map(([, language, text = '']): Step => {
    if (language === 'sh') return { commands: readCommands(text) }
    const [, path] = /^\/\/ (\S+\/\S+\.ts)\n/.exec(text) ?? []
    return path === undefined ? { change: text } : { path, text }
  })
}

/** The text of a file after a change. Throws unless the change has exactly one place in the file. */
export function changed(text: string, change: string): string {
  const [heading = '', ...added] = change.trimEnd().split('\n')
  const [, replaced] = /^\/\/ instead of: (.+)$/.exec(heading) ?? []
  if (replaced !== undefined) return withLine(text, replaced, added)
  const [, part] = /^\/\/ in (\w+)$/.exec(heading) ?? []
  if (part !== undefined) return withEntry(text, part, added)
  throw new Error(`A change begins with "// in <part>" or "// instead of: <line>", not with ${heading}`)
}

function withLine(text: string, replaced: string, added: string[]): string {
  const lines = text.split('\n')
  lines.splice(
    onlyIndex(lines, (line) => line.trim() === replaced),
    1,
    ...added,
  )
  return lines.join('\n')
}

/** Adds an entry at the end of a part of the domain. An entry of the same name is replaced. */
function withEntry(text: string, part: string, added: string[]): string {
  const lines = text.split('\n')
  const start = onlyIndex(lines, (line) => line.startsWith(`  ${part}: `)) + 1
  const end = lines.findIndex((line, at) => at >= start && /^ {2}\S/.test(line))
  const [, key] = /^ {4}('[\w.]+'): /.exec(added[0] ?? '') ?? []
  const at = key === undefined ? -1 : lines.findIndex((line, n) => n >= start && line.startsWith(`    ${key}: `))
  if (at < 0 || at >= end) lines.splice(end, 0, ...added)
  else lines.splice(at, lastLine(lines, at) + 1 - at, ...added)
  return lines.join('\n')
}

/** The line that closes the entry which begins at a line: that line itself, unless it ends with a bracket. */
function lastLine(lines: string[], start: number): number {
  const isLong = /[{[(]$/.test(lines[start] ?? '')
  return isLong ? lines.findIndex((line, at) => at > start && /^ {4}[}\])]/.test(line)) : start
}

function onlyIndex(lines: string[], isWanted: (line: string) => boolean): number {
  const found = lines.flatMap((line, at) => (isWanted(line) ? [at] : []))
  if (found.length !== 1) throw new Error(`The change has ${found.length} places in the file.`)
  return found[0] as number
}
