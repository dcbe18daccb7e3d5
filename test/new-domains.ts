import { spawnSync } from 'node:child_process'
import { expect } from 'vitest'
import { copyRepository } from './copy.ts'

/** The kinds of domains that tests add, by name. */
const added = { addedants: 'append', addedbees: 'decide', addedcats: 'append' }
export const names = Object.keys(added)

/** Runs a program in a copy of the repository, without what vitest sets for its own tests. */
export function runIn(copy: string, program: string, args: string[]) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV|TEST$|MAKE|LOG_LEVEL)/.test(name)),
  )
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: copy, encoding: 'utf8', env })
  return { status, output: stdout + stderr }
}

/** Runs `make new-domain`. The option keeps make from installing packages. */
export const newDomain = (copy: string, ...settings: string[]) =>
  runIn(copy, 'make', ['--silent', '--assume-old=node_modules/.installed', 'new-domain', ...settings])

/** A copy of the repository in which `make new-domain` has added three domains. */
export function copyWithNewDomains(): string {
  const copy = copyRepository()
  for (const [name, kind] of Object.entries(added)) {
    const { status, output } = newDomain(copy, `NAME=${name}`, `KIND=${kind}`)
    expect(status, output).toBe(0)
  }
  return copy
}
