import { spawn } from 'node:child_process'

export interface Call {
  input?: string
  /** What it says goes to the terminal, not into the result. */
  shown?: boolean
}

export class ToolMissing extends Error {}

/** Runs a tool to its end and gives what it printed. When it fails, throws what it complained about. */
export function run(tool: string, args: string[], { input, shown = false }: Call = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const output = shown ? 'inherit' : 'pipe'
    const child = spawn(tool, args, { stdio: [input === undefined ? 'ignore' : 'pipe', output, output] })
    let printed = ''
    let complaint = ''
    child.stdout?.on('data', (chunk) => (printed += chunk))
    child.stderr?.on('data', (chunk) => (complaint += chunk))
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new ToolMissing(tool, { cause: error }) : error),
    )
    child.on('close', (code) => {
      if (code === 0) return resolve(printed)
      reject(new Error(`${[tool, ...args].join(' ')} ended with ${code}\n${complaint.trim()}`.trimEnd()))
    })
    // A tool that ends before it has read everything says so by its exit code.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}
