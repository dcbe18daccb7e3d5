import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { files } from './functions/describe/docs-page.ts'
import { LIST, listOf, shippedPackages, textsOf } from './licenses.ts'
import { findProtos } from './main/find-protos.ts'
import { settings } from './main/settings.ts'

/**
 * `npm run bundle`: dist/<target>.mjs for each thing that the image runs, with its source map, `dist/serve.mjs` that starts
 * the one that FUNCTION_TARGET names, and a compile cache. It is warm wherever dist/ is moved to, but only for this Node
 * on such a processor, and for the user who made it: Node looks for no other.
 */
const OUT = 'dist'
const CACHE = join(OUT, 'cache')
const TARGETS = settings.FUNCTION_TARGET.unwrap().options
const READY_MS = 30_000

/** What the drivers would load if it were installed. */
const OPTIONAL = [
  '@aws-sdk/credential-providers',
  '@mongodb-js/zstd',
  'aws4',
  'gcp-metadata',
  'kerberos',
  'mongodb-client-encryption',
  'snappy',
  'socks',
]

/** Domains are found by folder: a bundle has those that are there when it is made. */
const domains: Plugin = {
  name: 'domains',
  setup({ onLoad }) {
    onLoad({ filter: /\/main\/find-domains\.ts$/ }, () => {
      const folders = readdirSync('domains', { withFileTypes: true }).filter(({ name }) =>
        existsSync(join('domains', name, 'domain.ts')),
      )
      const names = folders.map(({ name }) => name).sort()
      const imports = names.map((name, index) => `import domain${index} from '#domains/${name}/domain.ts'`)
      const all = names.map((_, index) => `domain${index}`).join(', ')
      const contents = `${imports.join('\n')}
        import { withLetters } from '#core/registry.ts'
        const found = withLetters([${all}])
        export const findDomains = async () => found`
      return { contents, resolveDir: 'main', loader: 'ts' }
    })
  },
}

/** What each target starts with, besides serve.ts. */
const ENTRIES: Record<string, string> = { grpc: './grpc.ts', source: './source.ts' }

/** Two libraries of gRPC read .proto files of their own, from `../../proto` as they see it. */
const LIBRARIES = ['grpc-health-check/proto/health', '@grpc/reflection/build/proto/grpc']
const BANNER = `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url), __dirname = import.meta.dirname + '/build/src'`

/** The .proto files of domains lie beside the bundles, where clients may take them from. */
const protos: Plugin = {
  name: 'protos',
  setup({ onLoad }) {
    onLoad({ filter: /\/main\/find-protos\.ts$/ }, async () => {
      const names = (await findProtos()).map((path) => basename(path))
      const contents = `export const findProtos = async () =>
        ${JSON.stringify(names)}.map((name) => import.meta.dirname + '/proto/' + name)`
      return { contents, loader: 'ts' }
    })
  },
}

async function copyProtos(): Promise<void> {
  const paths = [...(await findProtos()), ...LIBRARIES.map((folder) => join('node_modules', folder))]
  for (const path of paths) cpSync(path, join(OUT, 'proto', basename(path)), { recursive: true })
}

/** So do the files of the page that describes the API. */
const rendererFiles: Plugin = {
  name: 'renderer',
  setup({ onLoad }) {
    onLoad({ filter: /\/describe\/find-renderer\.ts$/ }, () => ({
      contents: "export const renderer = new URL('docs/', import.meta.url)",
    }))
  },
}

function copyRenderer(): void {
  for (const { content } of files.values()) {
    if (content instanceof URL) cpSync(content, join(OUT, 'docs', basename(content.pathname)))
  }
}

/** Whoever gets the image gets the licences of what is in it. */
function copyLicenses(): void {
  const folder = join(OUT, 'licenses')
  const packages = shippedPackages()
  mkdirSync(folder, { recursive: true })
  cpSync('LICENSE', join(folder, 'LICENSE'))
  writeFileSync(join(folder, LIST), listOf(packages))
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), textsOf(packages))
}

/** serve.ts loads the function that it is told: each bundle has only its own. */
const only = (target: string): Plugin => ({
  name: 'only',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(#functions\/\w+\/index|\.\/(grpc|source))\.ts$/ }, ({ path, importer }) => {
      const isOwn = path === (ENTRIES[target] ?? `#functions/${target}/index.ts`)
      if (!importer.endsWith('/main/serve.ts') || isOwn) return undefined
      return { path, namespace: 'absent' }
    })
    onLoad({ filter: /./, namespace: 'absent' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not in the bundle of ${target}`)})`,
    }))
  },
})

/** On our host nobody asks functions-framework which functions there are; loading it would double the time of a start. */
const unregistered: Plugin = {
  name: 'unregistered',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@google-cloud\/functions-framework$/ }, ({ path }) => ({ path, namespace: 'registry' }))
    onLoad({ filter: /./, namespace: 'registry' }, () => ({
      contents: 'export const http = () => {}, cloudEvent = () => {}',
    }))
  },
}

/** An `import` of node:http reads all that it exports, and so loads a whole HTTP client that nobody uses; `require` does not. */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'builtin' } : undefined,
    )
    onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }))
  },
}

/** A start reads the whole map: it has each line of ours, and of what is installed only the files. */
const mapped: Plugin = {
  name: 'mapped',
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, ({ path }) => {
      const map = JSON.stringify({ version: 3, sources: [basename(path)], mappings: 'AAAA' })
      const link = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}`
      return { contents: `${readFileSync(path, 'utf8')}\n${link}`, loader: 'js' }
    })
  },
}

async function bundle(target: string): Promise<void> {
  await build({
    entryPoints: ['main/serve.ts'],
    outfile: `${OUT}/${target}.mjs`,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    sourcemap: true,
    sourcesContent: false,
    minifySyntax: true,
    minifyWhitespace: true,
    // An error that nobody catches is shown with its line.
    lineLimit: 160,
    external: OPTIONAL,
    banner: { js: BANNER },
    plugins: [domains, protos, rendererFiles, only(target), unregistered, builtins, mapped],
    logLevel: 'warning',
  })
}

const ENTRY = `// FUNCTION_TARGET says which bundle is started.
import { enableCompileCache, setSourceMapsSupport } from 'node:module'
const target = process.env.FUNCTION_TARGET
if (!${JSON.stringify(TARGETS)}.includes(target)) {
  console.error('FUNCTION_TARGET must be one of ${TARGETS.join(', ')}')
  process.exit(1)
}
setSourceMapsSupport(true)
enableCompileCache({ directory: import.meta.dirname + '/cache', portable: true })
await import(\`./\${target}.mjs\`)
`

/** Starts and stops it once: Node writes down what it has compiled. */
async function warm(target: string): Promise<void> {
  const env = {
    PATH: process.env.PATH,
    FUNCTION_TARGET: target,
    HOST: '127.0.0.1',
    PORT: '0',
    METRICS_PORT: '0',
    LOG: 'kafka',
    STORE: 'mongodb',
    RECEIPT_SECRET: 'of a bundle that is made of thirty-two characters',
  }
  const child = spawn(process.execPath, [resolve(OUT, 'serve.mjs')], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const late = setTimeout(() => child.kill('SIGKILL'), READY_MS)
  for await (const chunk of child.stdout) if (String(chunk).includes('"ready"')) child.kill('SIGTERM')
  const [code] = await ended
  clearTimeout(late)
  if (code !== 0) throw new Error(`the bundle of ${target} does not start`)
}

rmSync(OUT, { recursive: true, force: true })
await Promise.all([...TARGETS.map(bundle), copyProtos()])
copyRenderer()
copyLicenses()
writeFileSync(`${OUT}/serve.mjs`, ENTRY)
// The other two look for Kafka first.
for (const target of ['publish', 'grpc', 'persist', 'query']) await warm(target)
// It is whoever made it that may read it, but a copy of it may belong to somebody else.
const cached = readdirSync(CACHE, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
for (const { parentPath, name } of cached) chmodSync(join(parentPath, name), 0o644)
