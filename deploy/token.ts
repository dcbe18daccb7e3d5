import { z } from 'zod'
import { refuseArguments } from '#main/refuse-arguments.ts'
import { DEFAULT_SITE, requestFailure } from './default-site.ts'
import { printHelpIfAsked } from './help.ts'

/** make token prints an access token of a person whom the issuer knows, and nothing else. */

printHelpIfAsked(`
  make token                                       a token of member, from the issuer of make dev
  make token USER=administrator                    another person: member2, moderator, writer, reader, collector, stranger
  make token ISSUER=http://localhost:8180/realms/millrace
                                                   another issuer; this is the one of make up

SITE=http://... is the site of make dev (http://localhost:8080). PASSWORD= is the same as USER by default. USER counts on make's command line only, because the shell has a USER of its own.
`)
refuseArguments('npx millrace token', process.argv.slice(2))
const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''))
const { SITE, USER, ...settings } = z
  .object({
    SITE: z.url().default(DEFAULT_SITE),
    ISSUER: z.url().optional(),
    USER: z.string().default(''),
    /** The name by default: sample people have their name as password. */
    PASSWORD: z.string().optional(),
  })
  .parse(given)
const { ISSUER, PASSWORD = USER } = settings
const issuer = ISSUER ?? new URL('/oidc', SITE).href

try {
  console.log(await token())
} catch (error) {
  const failure =
    ISSUER === undefined
      ? requestFailure(error, SITE)
      : requestFailure(error, ISSUER, 'Start it, or name another issuer with ISSUER=.')
  console.error(`No token for ${USER}: ${failure}`)
  process.exitCode = 1
}

async function token(): Promise<string> {
  const discovery = await ask(`${issuer}/.well-known/openid-configuration`)
  const { token_endpoint: endpoint } = z.object({ token_endpoint: z.url() }).parse(discovery)
  const fields = {
    grant_type: 'password',
    client_id: 'millrace-cli',
    username: USER,
    password: PASSWORD,
  }
  const answer = await ask(endpoint, { method: 'POST', body: new URLSearchParams(fields) })
  return z.object({ access_token: z.string() }).parse(answer).access_token
}

async function ask(url: string, init: RequestInit = {}): Promise<unknown> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${url} answers ${answer.status} ${text}`)
  return JSON.parse(text)
}
