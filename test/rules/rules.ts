import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'

export interface Source {
  /** From the project's root. */
  path: string
  text: string
}

/** The folders whose code keeps the rules, in the order of dependence: each imports only what `ALLOWED` names. */
const FOLDERS = ['domains', 'examples', 'core', 'functions', 'adapters', 'local', 'main', 'client', 'testing']
/** The contract of domains, for everybody. */
const CONTRACT = [
  'millrace',
  'domain',
  'query',
  'append-domain',
  'decide-domain',
  'model',
  'query-definitions',
  'query-kinds',
  'views',
  'words',
  'moment',
].map((name) => `domains/${name}.ts`)
/** What package.json exports: the only files that collect what other files define. */
const WAYS_IN = ['domains/millrace.ts', 'client/millrace-client.ts', 'testing/millrace-testing.ts']
/** What a file of each folder may import, besides packages, the contract and its own folder. */
const ALLOWED: Record<string, string[]> = {
  core: [],
  functions: ['core'],
  adapters: ['core'],
  local: ['core', 'adapters'],
  main: ['core', 'functions', 'adapters', 'local', 'domains'],
  testing: ['core', 'functions', 'domains', 'client'],
}
/** The adapter that the test kit imports besides. */
const EMBEDDED_STORE = /^adapters\/(embedded\/|store\/embedded)/
/** What functions-framework's CLI loads as it is: they wire a function, and so import what main imports. */
const ENTRY = /^functions\/[^/]+\/index\.ts$/
/** Packages that only an adapter or an entry point uses. */
const DRIVERS = ['node:http', 'kafkajs', 'mongodb', 'pino', 'prom-client', '@grpc/', 'undici', '@google-cloud/']
const ENTRY_LINES = 40

/** The product code: the code that users run, without its tests. */
export function productCode(): Source[] {
  const paths = FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name)),
  )
  return paths.filter((path) => !isTest(path)).map((path) => ({ path, text: readFileSync(path, 'utf8') }))
}

const isTest = (path: string): boolean => path.endsWith('.test.ts')

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
      path !== 'main/config.ts' && /\bprocess\s*(\.|\[')env\b|\{[^}]*\benv\b[^}]*\} = process\b/.test(text),
  },
  { what: 'has an enum', isBroken: ({ text }) => /^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s/m.test(text) },
  { what: 'leaves something to do', isBroken: ({ text }) => /\b(TODO|FIXME|XXX)\b/.test(text) },
  { what: 'is named for nothing', isBroken: ({ path }) => /^(utils?|helpers?|common|misc)\.ts$/.test(basename(path)) },
  {
    what: 're-exports',
    isBroken: ({ path, text }) =>
      !WAYS_IN.includes(path) && /^export\s+(type\s+)?(\*|\{[^}]*\})[^;'"]*?\sfrom\s/m.test(text),
  },
  {
    what: 'exempts itself from a limit of size, which biome.jsonc alone does',
    isBroken: ({ text }) => /biome-ignore.*\b(noExcessiveLinesPer|useMaxParams)/.test(text),
  },
  {
    what: `is an entry of more than ${ENTRY_LINES} lines`,
    isBroken: ({ path, text }) => ENTRY.test(path) && text.trimEnd().split('\n').length > ENTRY_LINES,
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
  const [layer = '', folder] = path.split('/')
  const [top = '', inner] = target.split('/')
  const isOurs = [...FOLDERS, 'test', 'deploy', 'generate'].includes(top)
  if (CONTRACT.includes(path)) return target === 'zod' || CONTRACT.includes(target)
  if (layer === 'domains' || layer === 'examples' || path.startsWith('testing/page/')) {
    return target === 'zod' || target === 'millrace' || (top === layer && inner === folder)
  }
  if (top === 'millrace') return false
  if (layer === 'client') return target === 'zod' || CONTRACT.includes(target) || top === layer
  if (ENTRY.test(path)) return !isOurs || top !== 'test'
  if (!isOurs) return !['core', 'functions'].includes(layer) || !DRIVERS.some((driver) => target.startsWith(driver))
  if (layer === 'testing' && EMBEDDED_STORE.test(target)) return true
  if (CONTRACT.includes(target) || ALLOWED[layer]?.includes(top)) return true
  return top === layer && (layer !== 'functions' || inner === folder)
}
