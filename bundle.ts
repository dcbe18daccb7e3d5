import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'

/**
 * `npm run bundle`: dist/<target>.mjs for each thing that the image runs, with its source map, `dist/serve.mjs` that starts
 * the one that FUNCTION_TARGET names, and a compile cache that is warm for this Node at this path.
 */
const OUT = 'dist'
const TARGETS = ['publish', 'persist', 'query', 'prepare', 'source']
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
    onLoad({ filter: /\/functions\/find-domains\.ts$/ }, () => {
      const folders = readdirSync('domains', { withFileTypes: true }).filter((entry) => entry.isDirectory())
      const names = folders.map(({ name }) => name).sort()
      const imports = names.map((name, index) => `import domain${index} from '#domains/${name}/domain.ts'`)
      const all = names.map((_, index) => `domain${index}`).join(', ')
      const contents = `${imports.join('\n')}
        import { refuseClashes } from './domains.ts'
        const found = [${all}]
        refuseClashes(found)
        export const findDomains = async () => found`
      return { contents, resolveDir: 'functions', loader: 'ts' }
    })
  },
}

/** serve.ts loads the function that it is told: each bundle has only its own. */
const only = (target: string): Plugin => ({
  name: 'only',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/(publish|persist|query)\/index\.ts$|^\.\/source\.ts$/ }, ({ path, importer }) => {
      if (!importer.endsWith('/functions/serve.ts') || path.includes(`/${target}`)) return undefined
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

async function bundle(target: string): Promise<void> {
  await build({
    entryPoints: ['functions/serve.ts'],
    outfile: `${OUT}/${target}.mjs`,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    sourcemap: true,
    minifySyntax: true,
    minifyWhitespace: true,
    external: OPTIONAL,
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
    plugins: [domains, only(target), unregistered],
    logLevel: 'warning',
  })
}

const ENTRY = `// FUNCTION_TARGET says which bundle is started.
const target = process.env.FUNCTION_TARGET
if (!${JSON.stringify(TARGETS)}.includes(target)) {
  console.error('FUNCTION_TARGET must be one of ${TARGETS.join(', ')}')
  process.exit(1)
}
await import(\`./\${target}.mjs\`)
`

/** Starts and stops it once: Node writes down what it has compiled. */
async function warm(target: string): Promise<void> {
  const env = {
    PATH: process.env.PATH,
    NODE_COMPILE_CACHE: resolve(OUT, 'cache'),
    FUNCTION_TARGET: target,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG: 'kafka',
    STORE: 'mongodb',
    RECEIPT_SECRET: 'of a bundle that is made, thirty-two characters',
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
await Promise.all(TARGETS.map(bundle))
writeFileSync(`${OUT}/serve.mjs`, ENTRY)
// The other two look for Kafka first.
for (const target of ['publish', 'persist', 'query']) await warm(target)
