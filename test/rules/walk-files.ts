import { mkdtempSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { eventually } from '../mill.ts'

/**
 * Starts `make dev` in this process, posts a command twice, and prints the product files that run from the second POST until its
 * outcome, without the workbench, which runs beside commands. The arguments: a port, a path, a body, and the person who sends it, if any.
 */
const [port = '', path = '', body = '', person] = process.argv.slice(2)
const root = `${pathToFileURL(process.cwd()).href}/`
const origin = `http://localhost:${port}`
Object.assign(process.env, { PORT: port, GRPC_PORT: '0', MILLRACE_DIR: mkdtempSync(join(tmpdir(), 'walk-')) })

const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
void import(`${root}main/dev.ts`)
await eventually(async () => (await fetch(`${origin}/health/ready`)).ok)

const authorization = person === undefined ? {} : { authorization: `Bearer ${await token(person)}` }
await send()
await session.post('Profiler.takePreciseCoverage')
await send()
const { result } = await session.post('Profiler.takePreciseCoverage')
const files = result.filter(({ url, functions }) => {
  const hasRun = functions.some(({ ranges: [range] }) => range && range.count > 0)
  return hasRun && url.startsWith(root) && !/\/(node_modules|test|workbench)\//.test(url)
})
process.stdout.write(`\nfiles: ${files.map(({ url }) => url.slice(root.length)).join(' ')}\n`)
process.exit(0)

async function send(): Promise<void> {
  const headers = { 'content-type': 'application/json', prefer: 'wait=10', ...authorization }
  const response = await fetch(origin + path, { method: 'POST', headers, body })
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
}

async function token(name: string): Promise<string> {
  const fields = { grant_type: 'password', client_id: 'millrace-cli', username: name, password: name }
  const response = await fetch(`${origin}/oidc/token`, { method: 'POST', body: new URLSearchParams(fields) })
  return ((await response.json()) as { access_token: string }).access_token
}
