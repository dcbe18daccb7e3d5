import { relative } from 'node:path'
import type { Logger } from '#core/telemetry.ts'
import type { Domain } from '#domains/domain.ts'
import type { KafkaSources } from '#local/kafka-sources.ts'
import { describeImportError } from '#local/workbench/import-error.ts'
import type { Functions, SwappableFunctions } from '#local/workbench/swappable-functions.ts'
import { versionedImports } from '#local/workbench/versioned-imports.ts'
import { watchFolder } from '#local/workbench/watch-folder.ts'
import { DomainMistakes, readDomains } from './find-domains.ts'
import { prepareDomains } from './prepare.ts'
import { storedFormChanges } from './stored-forms.ts'

export interface ReloadParts {
  functions: SwappableFunctions
  sources: KafkaSources
  logger: Logger
  wire(domains: Domain[]): Promise<Functions>
  /** Called at each change of a file, also of one that no domain imports. */
  onChange(): void
}

/** Topics and collections that can not be made within this time are a reason to go on with the previous code. */
const PREPARE_WITHIN_MS = 5000

export interface Reloads {
  /** From here on a change below the folder that can run replaces what runs. */
  start(domains: Domain[], parts: ReloadParts): void
  close(): void
}

/** Reloads the domains in this folder. Make it before they are imported, so that it knows who imports what. */
export function reloadsOf(folder: string): Reloads {
  const imports = versionedImports(folder)
  let watching: { close(): void } | undefined
  return {
    start(domains, parts) {
      let running = domains
      const isEntry = (path: string) => /^[^/]+\/domain\.ts$/.test(relative(folder, path))
      watching = watchFolder(folder, async (paths) => {
        parts.onChange()
        warnOfProtos(paths, parts.logger)
        if (!paths.some((path) => imports.isImported(path) || isEntry(path))) return
        imports.renew(paths)
        running = await reload(running, parts)
      })
    },
    close: () => watching?.close(),
  }
}

/** Resolves with the domains that run afterwards: the previous ones if the new ones have a mistake. */
async function reload(before: Domain[], parts: ReloadParts): Promise<Domain[]> {
  const began = performance.now()
  try {
    const after = await readDomains()
    const changed = after.filter((domain) => !before.includes(domain))
    const gone = before.filter((domain) => !after.some(({ name }) => name === domain.name))
    if (changed.length + gone.length === 0) return before
    await replace(before, after, parts)
    const removed = gone.length > 0 ? { removed: namesOf(gone) } : {}
    const ms = Math.round(performance.now() - began)
    parts.logger.info({ domains: namesOf(changed), ...removed, ms }, 'domains reloaded')
    for (const domain of changed) warnOfStoredForms(before, domain, parts.logger)
    return after
  } catch (error) {
    const detail = error instanceof DomainMistakes ? error.message : describeImportError(error)
    parts.logger.error({ detail }, 'domains not reloaded, the previous code goes on')
    return before
  }
}

/** Everything that may fail comes before the swap. */
async function replace(before: Domain[], after: Domain[], parts: ReloadParts): Promise<void> {
  const { functions, sources } = parts
  await prepareDomains(after, PREPARE_WITHIN_MS)
  const next = await parts.wire(after)
  warnOfMethods(next, parts)
  // A record of a domain that vanished would become a letter in the new persist.
  await sources.stopOthers(after)
  const outdated = before.filter((domain) => !after.includes(domain))
  functions.swap(next, new Set(outdated.flatMap(livePaths)))
  await sources.start(after)
}

const livePaths = ({ queries }: Domain): string[] =>
  queries.filter(({ answers }) => answers === 'live').map(({ path }) => path)

const namesOf = (domains: Domain[]): string[] => domains.map(({ name }) => name)

function warnOfStoredForms(before: Domain[], domain: Domain, logger: Logger): void {
  const old = before.find(({ name }) => name === domain.name)
  for (const change of old ? storedFormChanges(old, domain) : []) logger.warn({ domain: domain.name }, change)
}

function warnOfProtos(paths: string[], logger: Logger): void {
  const files = paths.filter((path) => path.endsWith('.proto')).map((path) => relative(process.cwd(), path))
  if (files.length > 0) logger.warn({ files }, 'restart make dev to serve a changed .proto file over gRPC')
}

function warnOfMethods(next: Functions, { functions, logger }: ReloadParts): void {
  const served = new Set(functions.methods.map(({ name }) => name))
  const methods = next.methods.map(({ name }) => name).filter((name) => !served.has(name))
  if (methods.length > 0) logger.warn({ methods }, 'restart make dev to serve a new method over gRPC')
}
