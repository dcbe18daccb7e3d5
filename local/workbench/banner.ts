import { styleText } from 'node:util'
import type { Domain } from '#domains/domain.ts'
import { people } from '../issuer/people.ts'
import { type SampleRequest, sampleRequest } from './sample-request.ts'

export interface BannerOptions {
  port: number
  grpcPort: number
  log: string
  store: string
  /** The folder of all local state. */
  dir: string
  /** True if make dev has an issuer of its own. */
  hasIssuer: boolean
  domains: Domain[]
  /** The scopes of callers without a token. */
  anonymousScopes: string[]
}

const DEFAULT_PORT = 8080

/** The text at the end of a start: where to look, and a first command of each domain. */
export function banner({
  port,
  grpcPort,
  log,
  store,
  dir,
  hasIssuer,
  domains,
  anonymousScopes,
}: BannerOptions): string {
  const at = `http://localhost:${port}`
  const site = port === DEFAULT_PORT ? '' : ` SITE=${at}`
  const tokenOf = (person: string) => `$(make -s token USER=${person}${site})`
  const open = new Set(anonymousScopes)
  const places = [
    ['API', `${at}/docs`],
    ...(hasIssuer
      ? [
          ['Log-in', `${at}/oidc as ${Object.keys(people).join(', ')}: without a password`],
          ['Token', `export TOKEN=${tokenOf('member')}`],
        ]
      : []),
    ['Health', `curl localhost:${port}/health/deep`],
    ['gRPC', `grpcurl -plaintext localhost:${grpcPort} list`],
    ['Data', dir],
  ]
  const commands = domains.map((domain) => {
    const request = sampleRequest(domain, open)
    return [domain.name, request ? shown(request, { port, tokenOf }) : `${at}/docs has its commands`]
  })
  return [
    '',
    styleText('bold', `Millrace is ready at ${at} (log: ${log}, store: ${store}).`),
    ...table(places),
    '',
    ...table(commands),
    '',
    '',
  ].join('\n')
}

function shown(
  { method, path, body, person }: SampleRequest,
  { port, tokenOf }: { port: number; tokenOf(person: string): string },
): string {
  const verb = method === 'POST' ? '' : ` -X ${method}`
  const token = person === undefined ? '' : ` -H "authorization: Bearer ${tokenOf(person)}"`
  const json = JSON.stringify(body).replaceAll("'", "'\\''")
  return `curl -i${verb} localhost:${port}${path} -H 'content-type: application/json' -H 'prefer: wait=5'${token} -d '${json}'`
}

function table(rows: string[][]): string[] {
  const width = Math.max(...rows.map(([name = '']) => name.length))
  return rows.map(([name = '', text = '']) => `  ${styleText('cyan', name.padEnd(width))}  ${text}`)
}
