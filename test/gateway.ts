import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, freePort } from './mill.ts'

/** The gateway's nginx with the shipped configuration, except for its ports and folder. */
export interface Gateway {
  url: string
  /** The host:port of gRPC. */
  grpc: string
  stop(): Promise<void>
}

export const TEMPLATE = 'knative/components/gateway/nginx.conf.template'

export interface Upstreams {
  query: string
  publish: string
  /** The host:port of gRPC; a closed port by default. */
  grpc?: string
  maxBodyBytes?: number
}

export const hasNginx = (): boolean => spawnSync('nginx', ['-v'], { stdio: 'ignore' }).status === 0

/** The environment variables that the manifests set, for this machine. */
export const valuesOf = ({
  query,
  publish,
  grpc = '127.0.0.1:1',
  maxBodyBytes = 1_048_576,
}: Upstreams): Record<string, string> => ({
  QUERY_SERVER: new URL(query).host,
  QUERY_HOST: 'query.test',
  PUBLISH_SERVER: new URL(publish).host,
  PUBLISH_HOST: 'publish.test',
  GRPC_SERVER: grpc,
  GRPC_HOST: 'grpc.test',
  MAX_BODY_BYTES: String(maxBodyBytes),
})

export interface Ports {
  http: number
  grpc: number
}

/** The template with its variables filled in, as the image's entry point does, and with other files and ports. */
export function render(template: string, dir: string, ports: Ports, values: Record<string, string>): string {
  const known: Record<string, string> = { ...values, NGINX_LOCAL_RESOLVERS: '127.0.0.1' }
  return template
    .replaceAll(/\$\{(\w+)\}/g, (given, name) => known[name] ?? given)
    .replaceAll('/tmp/', `${dir}/`)
    .replace('listen 8080;', `listen 127.0.0.1:${ports.http};`)
    .replace('listen 50051 ', `listen 127.0.0.1:${ports.grpc} `)
}

/** A folder that nginx workers of any user may read and write. */
export function gatewayFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-gateway-'))
  chmodSync(dir, 0o755)
  return dir
}

export async function startGateway(upstreams: Upstreams): Promise<Gateway> {
  const dir = gatewayFolder()
  const [port, grpc] = await Promise.all([freePort(), freePort()])
  const file = join(dir, 'nginx.conf')
  writeFileSync(file, render(readFileSync(TEMPLATE, 'utf8'), dir, { http: port, grpc }, valuesOf(upstreams)))
  // A file: nginx opens /dev/stdout by its name, which it can't where that is a socket.
  const log = openSync(join(dir, 'log'), 'a')
  const child = spawn('nginx', ['-p', dir, '-c', file, '-g', 'daemon off;'], { stdio: ['ignore', log, log] })
  closeSync(log)
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = `http://127.0.0.1:${port}`
  const stop = async () => {
    child.kill('SIGQUIT')
    const hurry = setTimeout(() => child.kill('SIGTERM'), 2000)
    await gone
    clearTimeout(hurry)
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await eventually(async () => {
      if ((await fetch(`${url}/health/gateway`)).status !== 204) throw new Error('not ready')
    })
  } catch (cause) {
    const output = readFileSync(join(dir, 'log'), 'utf8')
    await stop()
    throw new Error(`no gateway:\n${output}`, { cause })
  }
  return { url, grpc: `127.0.0.1:${grpc}`, stop }
}
