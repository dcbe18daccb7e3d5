import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { afterAll } from 'vitest'
import type { Logger } from '#core/telemetry.ts'

/** The files of an author, in a folder of their own outside this one. */
export interface AuthorFiles {
  folder: string
  /** Loads a file. Node does that itself, so that stacks are real ones. */
  load<Module>(path: string): Module
  /** The file and the number of the line that ends with a comment. Without a column. */
  placeOf(comment: string): string
}

export function authorFiles(files: { [path: string]: string }): AuthorFiles {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'an author '))
  afterAll(() => rmSync(folder, { recursive: true }))
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return {
    folder,
    load: (path) => createRequire(import.meta.url)(join(folder, path)),
    placeOf(comment) {
      for (const [path, text] of Object.entries(files)) {
        const line = text.split('\n').findIndex((line) => line.endsWith(`// ${comment}`))
        if (line >= 0) return `${relative(process.cwd(), join(folder, path))}:${line + 1}:`
      }
      throw new Error(`no line ends with the comment ${comment}`)
    },
  }
}

export type LogLine = { message: string; [field: string]: unknown }

/** A logger that keeps its lines, without those for debugging. */
export function keptLog(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = []
  const write = (fields: object, message: string) => void lines.push({ ...fields, message })
  return { logger: { debug: () => {}, info: write, warn: write, error: write, fatal: write }, lines }
}
