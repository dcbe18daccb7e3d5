import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { files } from './functions/describe/docs-page.ts'
import { LIST, listOf, shippedPackages, textsOf } from './licenses.ts'
import { findDomains } from './main/find-domains.ts'
import { findProtos } from './main/find-protos.ts'
import { settings } from './main/settings.ts'

/**
 * `npm run bundle`, or `millrace bundle` in a project, writes dist/<target>.mjs with its source map for each target of the image, `dist/serve.mjs`, which starts
 * the target that FUNCTION_TARGET names, and a compile cache. The cache works wherever dist/ is moved to, but only with this
 * Node, on such a processor, and for the user who made it.
 *
 * `npm run bundle -- source` adds the local KafkaSource to such a dist/. No image for a cluster has it.
 */
const OUT = 'dist'
/** Millrace itself: this repository, or its package in a project, whose files are compiled. */
const ROOT = import.meta.dirname
const ownFile = (path: string): string => join(ROOT, path + extname(import.meta.filename))
const CACHE = join(OUT, 'cache')
const LOCAL_TARGET = 'source'
const TARGETS = settings.FUNCTION_TARGET.unwrap().options.filter((target) => target !== LOCAL_TARGET)
const READY_MS = 30_000

/** Packages that the drivers load only if they are installed. */
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

/** Replaces the search for domain folders by imports: a bundle has the domains that exist, and are checked, when it is made. */
const domains: Plugin = {
  name: 'domains',
  setup({ onLoad }) {
    onLoad({ filter: /\/main\/find-domains\.[jt]s$/ }, () => {
      const folders = readdirSync('domains', { withFileTypes: true }).filter(({ name }) =>
        existsSync(join('domains', name, 'domain.ts')),
      )
      const names = folders.map(({ name }) => name).sort()
      const imports = names.map((name, index) => `import domain${index} from './domains/${name}/domain.ts'`)
      const all = names.map((_, index) => `domain${index}`).join(', ')
      const contents = `${imports.join('\n')}
        import { withLetters } from ${JSON.stringify(ownFile('core/registry'))}
        const found = withLetters([${all}])
        export const findDomains = async () => found`
      return { contents, resolveDir: resolve('.'), loader: 'ts' }
    })
  },
}

/** The module that serve.ts imports for a target, where it is not the index.ts of a function. */
const ENTRIES: Record<string, RegExp> = { grpc: /\/grpc/, [LOCAL_TARGET]: /\/source/ }

/** Two gRPC libraries read their own .proto files, from `../../proto` relative to themselves. */
const LIBRARIES = { 'grpc-health-check': 'proto/health', '@grpc/reflection': 'build/proto/grpc' }
const BANNER = `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url), __dirname = import.meta.dirname + '/build/src'`

/** Finds the .proto files of domains beside the bundles, where clients can get them too. */
const protos: Plugin = {
  name: 'protos',
  setup({ onLoad }) {
    onLoad({ filter: /\/main\/find-protos\.[jt]s$/ }, async () => {
      const names = (await findProtos()).map((path) => basename(path))
      const contents = `export const findProtos = async () =>
        ${JSON.stringify(names)}.map((name) => import.meta.dirname + '/proto/' + name)`
      return { contents, loader: 'ts' }
    })
  },
}

/** Finds Millrace's folders from the bundle, so that no folder of a project is taken for one of them. */
const ownFolder: Plugin = {
  name: 'own-folder',
  setup({ onLoad }) {
    const path = JSON.stringify(`${relative(OUT, ROOT)}/`)
    onLoad({ filter: /\/core\/own-folder\.[jt]s$/ }, () => ({
      contents: `export const OWN_FOLDER = new URL(${path}, import.meta.url)`,
    }))
  },
}

async function copyProtos(): Promise<void> {
  const { resolve } = createRequire(import.meta.url)
  const ofLibraries = Object.entries(LIBRARIES).map(([name, folder]) =>
    join(dirname(resolve(`${name}/package.json`)), folder),
  )
  const paths = [...(await findProtos()), ...ofLibraries]
  for (const path of paths) cpSync(path, join(OUT, 'proto', basename(path)), { recursive: true })
}

/** Finds the files of the API page beside the bundles. */
const rendererFiles: Plugin = {
  name: 'renderer',
  setup({ onLoad }) {
    onLoad({ filter: /\/describe\/find-renderer\.[jt]s$/ }, () => ({
      contents: "export const renderer = new URL('docs/', import.meta.url)",
    }))
  },
}

function copyRenderer(): void {
  for (const { content } of files.values()) {
    if (content instanceof URL) cpSync(content, join(OUT, 'docs', basename(content.pathname)))
  }
}

/** Adds the licences of everything that the image distributes. */
function copyLicenses(): void {
  const folder = join(OUT, 'licenses')
  const packages = shippedPackages()
  mkdirSync(folder, { recursive: true })
  cpSync(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'))
  writeFileSync(join(folder, LIST), listOf(packages))
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), textsOf(packages))
}

/** Leaves the other targets out of a bundle: serve.ts imports one target only. */
const only = (target: string): Plugin => ({
  name: 'only',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /(functions\/\w+\/index|^\.\/grpc|^\.\/source)\.[jt]s$/ }, ({ path, importer }) => {
      const isOwn = (ENTRIES[target] ?? new RegExp(`functions/${target}/index`)).test(path)
      if (!/\/main\/serve\.[jt]s$/.test(importer) || isOwn) return undefined
      return { path, namespace: 'absent' }
    })
    onLoad({ filter: /./, namespace: 'absent' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not in the bundle of ${target}`)})`,
    }))
  },
})

/** Leaves functions-framework out: our host does not use its registry, and loading it would double the start time. */
const unregistered: Plugin = {
  name: 'unregistered',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@google-cloud\/functions-framework$/ }, ({ path }) => ({ path, namespace: 'registry' }))
    onLoad({ filter: /./, namespace: 'registry' }, () => ({
      contents: 'export const http = () => {}, cloudEvent = () => {}',
    }))
  },
}

/** Requires built-in modules: an `import` of node:http reads all its exports and so loads an HTTP client that is not used. */
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

/** Shortens the source map, which every start reads: it has each line of our code, but only the files of packages. */
const mapped: Plugin = {
  name: 'mapped',
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, ({ path }) => {
      if (path.startsWith(ROOT) && !path.slice(ROOT.length).includes('/node_modules/')) return undefined
      const map = JSON.stringify({ version: 3, sources: [basename(path)], mappings: 'AAAA' })
      const link = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}`
      return { contents: `${readFileSync(path, 'utf8')}\n${link}`, loader: 'js' }
    })
  },
}

async function bundle(target: string): Promise<void> {
  await build({
    entryPoints: [ownFile('main/serve')],
    outfile: `${OUT}/${target}.mjs`,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    sourcemap: true,
    sourcesContent: false,
    minifySyntax: true,
    minifyWhitespace: true,
    // An uncaught error prints its line.
    lineLimit: 160,
    external: OPTIONAL,
    banner: { js: BANNER },
    plugins: [domains, protos, ownFolder, rendererFiles, only(target), unregistered, builtins, mapped],
    logLevel: 'warning',
  })
}

const ENTRY = `// FUNCTION_TARGET names the bundle to start.
import { readdirSync } from 'node:fs'
import { enableCompileCache, setSourceMapsSupport } from 'node:module'
const target = process.env.FUNCTION_TARGET
const targets = readdirSync(import.meta.dirname).flatMap((name) => /^(?!serve)(\\w+)\\.mjs$/.exec(name)?.[1] ?? [])
if (!targets.includes(target)) {
  console.error('FUNCTION_TARGET must be one of ' + targets.join(', '))
  process.exit(1)
}
setSourceMapsSupport(true)
enableCompileCache({ directory: import.meta.dirname + '/cache', portable: true })
await import(\`./\${target}.mjs\`)
`

/** Starts and stops a bundle once, so that Node writes its compile cache. */
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

async function bundleAll(): Promise<void> {
  rmSync(OUT, { recursive: true, force: true })
  await Promise.all([...TARGETS.map(bundle), copyProtos()])
  copyRenderer()
  copyLicenses()
  writeFileSync(`${OUT}/serve.mjs`, ENTRY)
  // prepare is not warmed, since it connects to Kafka first.
  for (const target of ['publish', 'grpc', 'persist', 'query']) await warm(target)
  // Only the user who made the cache may read it, but a copy of it may belong to another user.
  const cached = readdirSync(CACHE, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const { parentPath, name } of cached) chmodSync(join(parentPath, name), 0o644)
}

// Mistakes in domains end the build. Bundles contain no checks, to keep their start short.
await findDomains()
if (process.argv[2] === LOCAL_TARGET) await bundle(LOCAL_TARGET)
else await bundleAll()
