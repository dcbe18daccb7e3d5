import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { OWN_FOLDER } from './own-folder.ts'

/** Why a command or a request failed, for an operator. */
export interface Failure {
  message: string
  /** The author's frames, the innermost first, such as `domains/orders/decide.ts:12:7 pay`. Absent if there are none. */
  frames?: string[]
}

/** The folders that decide which frames are the author's, and how their files are named. */
export interface Folders {
  /** The folder that has Millrace's own folders. A bundle's source map names its files in the same folder. */
  millrace: string
  /** The folder to which paths are relative. */
  working: string
}

const folders = (): Folders => ({ millrace: fileURLToPath(OWN_FOLDER), working: process.cwd() })

const MAX_FRAMES = 10
const MAX_CAUSES = 10
/** A longer line is a part of a message. */
const MAX_LINE = 1000
const FRAME = /^ +at (?:async )?(?:(.*) \()?((?:file:\/\/)?\/.*?):(\d+):(\d+)\)?$/
/** Millrace's own folders, the one of its bundles, whose frames no source map names, and the contract, whose files are beside the domains. */
const OWN = /^((adapters|core|dist|functions|local|main)\/|domains\/[^/]+$)/

/** The failure that anything thrown stands for: its message, and the frames of a domain's author in it and in its causes. */
export function failureOf(thrown: unknown, within = folders()): Failure {
  const frames = new Set<string>()
  let error = thrown
  for (let causes = 0; hasStack(error) && causes <= MAX_CAUSES; causes++) {
    for (const line of traceOf(error)) {
      const frame = authorFrame(line, within)
      if (frame) frames.add(frame)
      if (frames.size === MAX_FRAMES) return { message: messageOf(thrown), frames: [...frames] }
    }
    error = error.cause
  }
  return { message: messageOf(thrown), ...(frames.size > 0 ? { frames: [...frames] } : {}) }
}

type WithStack = { stack: string; message?: unknown; cause?: unknown }

export const hasStack = (thrown: unknown): thrown is WithStack =>
  typeof thrown === 'object' && thrown !== null && 'stack' in thrown && typeof thrown.stack === 'string'

function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : thrown
  return typeof text === 'object' ? inspect(text) : String(text)
}

/** The lines of a stack behind its message, which may have lines that look like frames. */
export function* traceOf({ stack, message }: WithStack): Generator<string> {
  const text = typeof message === 'string' ? message : ''
  const at = stack.indexOf(text)
  for (let from = at < 0 ? 0 : at + text.length; from < stack.length; ) {
    const end = stack.indexOf('\n', from)
    yield stack.slice(from, end < 0 ? stack.length : end)
    from = end < 0 ? stack.length : end + 1
  }
}

/** True if the line of a stack is a frame whose file is neither Millrace's nor a package's. */
export const isAuthorLine = (line: string): boolean => authorFrame(line, folders()) !== undefined

/** The frame in a line of a stack, if its file is neither Millrace's nor a package's. */
function authorFrame(line: string, { millrace, working }: Folders): string | undefined {
  if (line.length > MAX_LINE || line.includes('(eval at ')) return undefined
  const [, caller = '', file = '', row, column] = FRAME.exec(line) ?? []
  if (file === '') return undefined
  const path = toPath(file)
  // In a bundle of a project, this file is where all of Millrace is.
  if (path.includes('/node_modules/') || dirname(path) === import.meta.dirname) return undefined
  if (OWN.test(relative(millrace, path))) return undefined
  const name = caller.replace(/^(Object|Module)\.| \[as .*\]$|^<anonymous>$/g, '')
  return `${relative(working, path)}:${row}:${column} ${name}`.trimEnd()
}

/** The path of a file that a stack names. A URL that names none stays as it is. */
function toPath(file: string): string {
  try {
    return file.startsWith('file://') ? fileURLToPath(file) : file
  } catch {
    return file
  }
}
