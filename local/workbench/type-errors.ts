import { readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'

const ERROR = /^(.+?)\((\d+),(\d+)\): error TS\d+: (.*)$/
const IMPORT = /(?:from|import)[\s(]*(['"])(\.[^'"\n]*)\1/g
const TEST = /\.(test|spec)\.\w+$/

/**
 * The errors in the compiler's output for a reader who mends them one by one, each with its place first. Errors of a file that imports
 * another one with errors may come from there, so they are one line behind those of the other.
 */
export function typeErrors(output: string, project: string): string[] {
  const errors = errorsByFile(output, project)
  const importsOf = new Map([...errors.keys()].map((file) => [file, allImports(file)]))

  /** False for a test, which is not part of a domain, and for two files that import each other: neither comes first. */
  const mayCause = (file: string, other: string) =>
    !TEST.test(file) && importsOf.get(other)?.has(file) === true && !importsOf.get(file)?.has(other)

  const files = [...errors.keys()]
  const causes = files.filter((file) => !files.some((other) => mayCause(other, file)))
  return causes.flatMap((cause) => {
    const others = files.filter((file) => causes.find((first) => mayCause(first, file)) === cause)
    return [...(errors.get(cause) ?? []), ...others.map((file) => summary(errors.get(file)?.length ?? 0, file, cause))]
  })
}

const summary = (count: number, file: string, cause: string): string =>
  `and ${count} ${count === 1 ? 'error' : 'errors'} in ${named(file)}, which imports ${named(cause)}`

const named = (file: string): string => relative(process.cwd(), file)

/** Lines that go on are indented. */
function errorsByFile(output: string, project: string): Map<string, string[]> {
  const errors = new Map<string, string[]>()
  let last: string[] = []
  for (const line of output.split('\n')) {
    const [, path = '', row, column, message] = ERROR.exec(line) ?? []
    if (message !== undefined) {
      const file = resolve(project, path)
      last = errors.get(file) ?? []
      errors.set(file, last)
      last.push(`${named(file)}:${row}:${column} ${message}`)
    } else if (line.startsWith(' ') && last.length > 0) last.push(`${last.pop()}\n${line}`)
  }
  return errors
}

/** The files that a file imports by their relative paths, and those that these import. */
function allImports(file: string): Set<string> {
  const found = new Set<string>()
  const open = [file]
  for (const importer of open) {
    for (const [, , path = ''] of textOf(importer).matchAll(IMPORT)) {
      const target = resolve(dirname(importer), path)
      if (found.has(target)) continue
      found.add(target)
      open.push(target)
    }
  }
  return found
}

/** The text of a file, which may have gone since the compiler read it. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
