import type { ServerResponse } from 'node:http'
import { people } from './people.ts'

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

export const write = (res: ServerResponse, status: number, html: string): void =>
  void res.writeHead(status, HEADERS).end(html)

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 3rem auto; padding: 0 1rem }
  button { font: inherit; width: 100%; padding: .5rem; margin: .25rem 0; text-align: left }
</style>
<h1>${title}</h1>
${body}
`

/** The choice of a sample person; make dev has no passwords. */
export const loginPage = (): string =>
  page(
    'Log in to Millrace',
    `<p>This is make dev: no passwords. Who are you?</p>
<form method="post">
${Object.entries(people).map(buttonOf).join('\n')}
</form>`,
  )

const buttonOf = ([id, { name, roles, organisation }]: [string, (typeof people)[string]]): string =>
  `<button name="person" value="${id}"><b>${name}</b> (${id}): ${roles.join(', ')}${organisation ? ` of ${organisation}` : ''}</button>`

/** `form` is the form that the issuer expects back. */
export const logoutPage = (form: string): string =>
  page('Log out of Millrace', `${form}<button form="op.logoutForm" name="logout" value="yes">Log out</button>`)

/** The end of a log-in that no page requested: it shows the token. */
export function signedInPage(
  { sub = '', name, roles }: { [claim: string]: unknown; sub?: string },
  token: string,
): string {
  const who = people[sub]?.name ?? String(name ?? sub)
  const may = Array.isArray(roles) ? roles.join(', ') : ''
  return page(
    `You are signed in as ${who}`,
    `<p>${sub}: ${may}. This is your token, for twelve hours. Paste it behind Authorize at <a href="/docs">the page of the API</a>,
or send it as <code>Authorization: Bearer ...</code>.</p>
<textarea readonly rows="12" style="width: 100%">${token}</textarea>
<p><a href="/oidc">Sign in as somebody else</a></p>`,
  )
}

export const messagePage = (title: string, text: string): string =>
  page(
    title,
    `<p>${text.replaceAll('<', '&lt;')}</p>
<p><a href="/oidc">Sign in</a></p>`,
  )
