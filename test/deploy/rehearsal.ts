import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** A rule of a stand-in: a call that has these words gets this answer. */
export interface Rule {
  call: string
  says?: unknown
  fails?: string
  /** Only the first such call. */
  once?: boolean
}

export interface Call {
  tool: string
  args: string[]
  input: string
}

export interface Told {
  code: number | null
  output: string
  calls: Call[]
}

const TOOLS = ['docker', 'kind', 'kubectl']

/** deploy/cli.ts with stand-ins for its tools on PATH, and its releases on a server of its own. */
export class Rehearsal {
  readonly folder = mkdtempSync(join(tmpdir(), 'deploy-'))
  readonly versions = join(this.folder, 'versions.json')
  #server: Server | undefined
  #origin = ''

  /** What each file holds that can be downloaded: its name and more, so that it can be changed. */
  edition = 'first'

  async open(): Promise<this> {
    const server = createServer(({ url = '' }, answer) => {
      const file = url.split('/').at(-1) ?? ''
      answer.writeHead(file.endsWith('.yaml') ? 200 : 404).end(this.content(file))
    })
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
    this.#server = server
    this.#origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    symlinkSync(process.execPath, join(this.folder, 'node'))
    this.provide(...TOOLS)
    this.pin()
    return this
  }

  content = (file: string): string => `# ${file} ${this.edition}\n`

  /** Puts stand-ins on the PATH, which has nothing else but node. */
  provide(...tools: string[]): void {
    for (const tool of TOOLS) rmSync(join(this.folder, tool), { force: true })
    for (const tool of tools) {
      const script = `#!/bin/sh\nexec node ${resolve('test/deploy/stand-in.ts')} ${this.folder} ${tool} "$@"\n`
      writeFileSync(join(this.folder, tool), script, { mode: 0o755 })
    }
  }

  /** The real versions file, but for where its releases come from and their checksums. */
  pin(checksum = (file: string): string | null => createHash('sha256').update(this.content(file)).digest('hex')): void {
    const versions = JSON.parse(readFileSync('deploy/versions.json', 'utf8'))
    for (const release of Object.values<{ url: string; files: Record<string, string | null> }>(versions.releases)) {
      release.url = `${this.#origin}/{version}/{file}`
      for (const file of Object.keys(release.files)) release.files[file] = checksum(file)
    }
    writeFileSync(this.versions, JSON.stringify(versions))
  }

  async run(names: string[], rules: Rule[], env: Record<string, string> = {}): Promise<Told> {
    const calls = join(this.folder, 'calls')
    rmSync(calls, { force: true })
    writeFileSync(join(this.folder, 'rules'), JSON.stringify(rules))
    const child = spawn(process.execPath, ['deploy/cli.ts', ...names], {
      // Every call of a tool is a process: it takes its code as it was compiled before.
      env: {
        NODE_COMPILE_CACHE: resolve('.millrace/compile-cache'),
        PATH: this.folder,
        VERSIONS: this.versions,
        DOWNLOADS: join(this.folder, 'platform'),
        LIMIT: '20',
        ...env,
      },
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    const code = await new Promise<number | null>((ended) => child.on('close', ended))
    const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []
    return { code, output, calls: lines.map((line) => JSON.parse(line)) }
  }

  async close(): Promise<void> {
    await new Promise((closed) => this.#server?.close(closed))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export const said = ({ calls }: Told): string[] => calls.map(({ tool, args }) => [tool, ...args].join(' '))

/** Where a call with these words comes in the order of all calls; it must be there. */
export function placeOf(told: Told, words: string): number {
  const place = said(told).findIndex((call) => call.includes(words))
  if (place < 0) throw new Error(`no call has ${words}:\n${said(told).join('\n')}\n${told.output}`)
  return place
}
