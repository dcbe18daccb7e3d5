import { people } from './people.ts'

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

/** Who one wants to be: there are no passwords in make dev. */
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

/** `form` is what the issuer wants sent back. */
export const logoutPage = (form: string): string =>
  page('Log out of Millrace', `${form}<button form="op.logoutForm" name="logout" value="yes">Log out</button>`)

export const saidPage = (title: string, text: string): string => page(title, `<p>${text.replaceAll('<', '&lt;')}</p>`)
