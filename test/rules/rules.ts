import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'

export interface Source {
  /** From the project's root. */
  path: string
  text: string
}

const FOLDERS = ['functions', 'domains', 'adapters', 'client']
/** All that a domain, an adapter and the client know of domains. */
const CONTRACT = ['domains/domain.ts', 'domains/query.ts', 'domains/words.ts', 'domains/moment.ts']
/** Each a process of its own. */
const FUNCTIONS = ['publish', 'persist', 'query']
const ENTRY_LINES = 40

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

/** What is wrong with a file, in words; nothing for a file that keeps the rules. */
export function violations(source: Source): string[] {
  const imports = importsOf(source)
    .filter((target) => !mayImport(source.path, target))
    .map((target) => `imports ${target}`)
  const others = RULES.filter(({ isBroken }) => isBroken(source)).map(({ what }) => what)
  return [...imports, ...others].map((what) => `${source.path} ${what}`)
}

const RULES: { what: string; isBroken(source: Source): boolean }[] = [
  {
    what: 'reads the environment',
    isBroken: ({ path, text }) =>
      path !== 'adapters/config.ts' && /\bprocess\s*(\.|\[')env\b|\{[^}]*\benv\b[^}]*\} = process\b/.test(text),
  },
  { what: 'has an enum', isBroken: ({ text }) => /^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s/m.test(text) },
  { what: 'leaves something to do', isBroken: ({ text }) => /\b(TODO|FIXME|XXX)\b/.test(text) },
  { what: 'is named for nothing', isBroken: ({ path }) => /^(utils?|helpers?|common|misc)\.ts$/.test(basename(path)) },
  { what: 're-exports', isBroken: ({ text }) => /^export\s+(type\s+)?(\*|\{[^}]*\})[^;'"]*?\sfrom\s/m.test(text) },
  {
    what: `is an entry of more than ${ENTRY_LINES} lines`,
    isBroken: ({ path, text }) =>
      /^functions\/[^/]+\/index\.ts$/.test(path) && text.trimEnd().split('\n').length > ENTRY_LINES,
  },
]

const IMPORT =
  /^\s*(?:import|export)\s[^'"`;]*?\sfrom\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\b(?:import|require)\(\s*['"`]([^'"`$]+)['"`]/gm

/** What a file imports: ours from the project's root, packages by name. */
function importsOf({ path, text }: Source): string[] {
  return [...text.matchAll(IMPORT)].map(([, from, bare, dynamic]) => {
    const target = from ?? bare ?? dynamic ?? ''
    if (target.startsWith('.')) return normalize(join(dirname(path), target))
    return target.startsWith('#') ? target.slice(1) : target
  })
}

function mayImport(path: string, target: string): boolean {
  const [layer, folder] = path.split('/')
  const isIn = (...folders: string[]) => folders.some((name) => target.startsWith(`${name}/`))
  const isPackage = !isIn(...FOLDERS, 'test')
  switch (layer) {
    case 'domains':
      return target === 'zod' || CONTRACT.includes(target) || isIn(`domains/${folder}`)
    case 'adapters':
      return isPackage || isIn('adapters') || CONTRACT.includes(target)
    case 'client':
      return target === 'zod' || isIn('client') || CONTRACT.includes(target)
    default:
      return isPackage || isIn('adapters', 'domains') || isOneFunction(path, target)
  }
}

/** No function reaches into another one; what they share lies beside them, and what starts them may import all. */
function isOneFunction(path: string, target: string): boolean {
  const [, from, ...inside] = path.split('/')
  const [layer, to = ''] = target.split('/')
  return layer === 'functions' && (inside.length === 0 || !FUNCTIONS.includes(to) || from === to)
}
