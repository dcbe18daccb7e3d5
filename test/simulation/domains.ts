import letters from '#core/letters/domain.ts'
import type { DecideDomain, Domain } from '#domains/domain.ts'
import forum from '#domains/forum/domain.ts'
import logs from '#domains/logs/domain.ts'
import sums from '#domains/sums/domain.ts'
import tutorials from '#domains/tutorials/domain.ts'
import { purses, type Version } from './purses.ts'
import type { Plant } from './system.ts'

/** The domains of the simulation. A new one also needs commands in history.ts and reads in client.ts. */
export const domainsOf = (version: Version, { rules = (domain) => domain }: Plant): Domain[] =>
  [sums, tutorials, logs, letters, purses(version), flawed(forum, version)].map(rules)

export const NEWEST: Version = { isMended: true, crash() {} }

/** The domain with a first version that fails on some texts. */
const flawed = (domain: DecideDomain, { isMended, crash }: Version): DecideDomain => ({
  ...domain,
  decide(command, documents) {
    if (!isMended && command.data.text === 'bug') throw new Error('a bug')
    if (!isMended && command.data.text === 'crash') crash()
    return domain.decide(command, documents)
  },
})
