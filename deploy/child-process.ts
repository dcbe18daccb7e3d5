import { spawn } from 'node:child_process'

export interface RunOptions {
  input?: string
  /** True: the output goes to the terminal and not into the result. */
  shown?: boolean
}

export class ToolMissing extends Error {}

/** Runs a tool and resolves with its output. Rejects with its error output if it fails. */
export function run(tool: string, args: string[], { input, shown = false }: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const output = shown ? 'inherit' : 'pipe'
    const child = spawn(tool, args, { stdio: [input === undefined ? 'ignore' : 'pipe', output, output] })
    let printed = ''
    let errorOutput = ''
    child.stdout?.on('data', (chunk) => (printed += chunk))
    child.stderr?.on('data', (chunk) => (errorOutput += chunk))
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new ToolMissing(tool, { cause: error }) : error),
    )
    child.on('close', (code) => {
      if (code === 0) return resolve(printed)
      reject(new Error(`${[tool, ...args].join(' ')} ended with ${code}\n${errorOutput.trim()}`.trimEnd()))
    })
    // The exit code reports a tool that ends before it has read its input.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}
