import type { Domain } from '#domains/domain.ts'
import letters from '#domains/letters/domain.ts'
import sums from '#domains/sums/domain.ts'
import tutorials from '#domains/tutorials/domain.ts'
import { accounts, type Version } from './accounts.ts'

/** The domains; a new one takes part by standing here, with its commands in history.ts and its reads in client.ts. */
export const domainsOf = (version: Version): Domain[] => [sums, tutorials, letters, accounts(version)]

export const NEWEST: Version = { isMended: true, crash() {} }
