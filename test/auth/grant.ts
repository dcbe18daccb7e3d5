/** Tokens of people whose password is their name, from any issuer of OpenID Connect that has a client millrace-cli. */
export async function tokensOf(issuer: string, people: string[]): Promise<Map<string, string>> {
  const discovery = await json<{ token_endpoint: string }>(await fetch(`${issuer}/.well-known/openid-configuration`))
  async function tokenOf(person: string): Promise<[string, string]> {
    const fields = { grant_type: 'password', client_id: 'millrace-cli', username: person, password: person }
    const answer = await fetch(discovery.token_endpoint, { method: 'POST', body: new URLSearchParams(fields) })
    return [person, (await json<{ access_token: string }>(answer)).access_token]
  }
  return new Map(await Promise.all(people.map(tokenOf)))
}

async function json<Body>(answer: Response): Promise<Body> {
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${answer.url} answers ${answer.status} ${text}`)
  return JSON.parse(text)
}
