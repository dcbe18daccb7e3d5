import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'

export interface Source {
  /** From the project's root. */
  path: string
  text: string
}

const FOLDERS = ['functions', 'domains', 'adapters']

/** The product's own code: what users run, without its tests and the suites that tests share. */
export function productCode(): Source[] {
  const paths = FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name)),
  )
  return paths.filter((path) => !isTest(path)).map((path) => ({ path, text: readFileSync(path, 'utf8') }))
}

const isTest = (path: string): boolean => path.endsWith('.test.ts') || basename(path) === 'contract.ts'

const ENTRY_LINES = 40

/** What is wrong with a file, in words; nothing for a file that keeps the rules. */
export function violations({ path, text }: Source): string[] {
  const imported = importsOf(path, text)
  const layer = path.split('/')[0]
  const found = imported.filter((target) => !mayImport(path, target)).map((target) => `imports ${target}`)
  if (path !== 'adapters/config.ts' && /\bprocess\.env\b/.test(text)) found.push('reads process.env')
  if (/^\s*(export\s+)?(const\s+)?enum\s/m.test(text)) found.push('has an enum')
  if (/\b(TODO|FIXME|XXX)\b/.test(text)) found.push('leaves something to do')
  if (/^utils?\.ts$/.test(basename(path))) found.push('is named for nothing')
  if (/^export\s+(\*|\{[^}]*\})\s+from/m.test(text)) found.push('re-exports')
  if (layer === 'functions' && basename(path) === 'index.ts' && text.split('\n').length > ENTRY_LINES + 1) {
    found.push(`is an entry of more than ${ENTRY_LINES} lines`)
  }
  return found.map((what) => `${path} ${what}`)
}

function importsOf(path: string, text: string): string[] {
  const found = [
    ...text.matchAll(/(?:^|\s)(?:import|export)\s[^'"`;]*?from\s+'([^']+)'|import\('([^']+)'\)|^import\s+'([^']+)'/gm),
  ]
  return found.map(([, from, dynamic, bare]) => {
    const target = from ?? dynamic ?? bare ?? ''
    if (target.startsWith('.')) return normalize(join(dirname(path), target))
    return target.startsWith('#') ? target.slice(1) : target
  })
}

function mayImport(path: string, target: string): boolean {
  const [layer, folder] = path.split('/')
  const isOurs = FOLDERS.some((name) => target.startsWith(`${name}/`))
  switch (layer) {
    case 'domains':
      return target === 'zod' || target === 'domains/domain.ts' || target.startsWith(`domains/${folder}/`)
    case 'adapters':
      return isOurs ? target.startsWith('adapters/') || target === 'domains/domain.ts' : !target.startsWith('test/')
    default:
      return !target.startsWith('test/')
  }
}
