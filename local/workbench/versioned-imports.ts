import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The modules below a folder, which can be imported again after a change. Node itself keeps a module for ever. */
export interface VersionedImports {
  /** True for a file that something imported, or tried to. */
  isImported(path: string): boolean
  /** Makes the next imports load these files again, and all below the folder that import them. */
  renew(paths: string[]): void
}

const MARK = '?version='
const CODE = new Set(['.ts', '.mts', '.js', '.mjs'])

/**
 * Gives each file below the folder a version, as a part of its URL. The code that is loaded names its file without it, so stacks and
 * breakpoints have the plain path.
 */
export function versionedImports(folder: string): VersionedImports {
  const below = pathToFileURL(`${folder}/`).href
  const versions = new Map<string, number>()
  /** The URLs of the files that import a file, by its URL. A file that is not there yet has some too. */
  const importers = new Map<string, Set<string>>()
  let latest = 0

  function note(url: string, importer: string): void {
    importers.set(url, (importers.get(url) ?? new Set()).add(importer))
  }

  registerHooks({
    resolve(specifier, context, next) {
      const importer = withoutVersion(context.parentURL ?? '')
      if (specifier.startsWith('.') && importer.startsWith(below)) note(new URL(specifier, importer).href, importer)
      const resolved = next(specifier, context)
      const url = withoutVersion(resolved.url)
      if (!url.startsWith(below)) return resolved
      note(url, importer)
      const version = versions.get(url)
      return version === undefined ? resolved : { ...resolved, url: `${url}${MARK}${version}` }
    },
    load(url, context, next) {
      const loaded = next(url, context)
      const plain = withoutVersion(url)
      if (plain === url || !CODE.has(extname(fileURLToPath(plain)))) return loaded
      return { ...loaded, format: 'module', source: asPlain(String(loaded.source), plain) }
    },
  })

  function collect(url: string, found: Set<string>): void {
    if (found.has(url)) return
    found.add(url)
    for (const importer of importers.get(url) ?? []) if (importer.startsWith(below)) collect(importer, found)
  }

  return {
    isImported: (path) => importers.has(pathToFileURL(path).href),
    renew(paths) {
      const outdated = new Set<string>()
      for (const path of paths) collect(pathToFileURL(path).href, outdated)
      latest++
      for (const url of outdated) versions.set(url, latest)
    },
  }
}

const withoutVersion = (url: string): string => url.replace(/\?version=\d+$/, '')

/** The code without its types, in the same lines and columns, under its plain URL. */
function asPlain(source: string, url: string): string {
  if (!extname(url).endsWith('ts')) return `${source}\n//# sourceURL=${url}`
  // Node announces with a warning that this function may change. That is nothing to do with the author.
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return stripTypeScriptTypes(source, { mode: 'strip', sourceUrl: url })
  } finally {
    process.emitWarning = emitWarning
  }
}
