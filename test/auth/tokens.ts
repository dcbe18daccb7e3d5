import { people } from '#local/issuer/people.ts'
import { newKey, startIssuer } from './issuer.ts'

let started: ReturnType<typeof startIssuer> | undefined

/** The issuer that every mill of this process trusts. */
export function trustedIssuer(): ReturnType<typeof startIssuer> {
  started ??= newKey('of tests').then((key) => startIssuer(key))
  return started
}

/** A token of one of the sample people. */
export async function tokenOf(person: string): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 3600
  return (await trustedIssuer()).sign({ sub: person, exp, ...people[person] })
}

export const authorized = async (person: string) => ({ authorization: `Bearer ${await tokenOf(person)}` })
