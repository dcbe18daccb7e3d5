import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { createTemplate } from './create-template.ts'
import { createManifest, type Manifest, packedManifest } from './manifests.ts'

/**
 * `npm run pack` writes millrace-<version>.tgz and create-millrace-<version>.tgz into .millrace/packages, which `npm publish` takes. The files of
 * the package lie as in this repository, so that a path from one to another is the same in both. They are compiled, because Node strips
 * no types in node_modules.
 */
const OUT = resolve('.millrace/packages')
const STAGE = join(OUT, 'stage')
const MILLRACE = join(STAGE, 'millrace')
const CODE = '{adapters,client,core,deploy,functions,generate,local,main,package,testing}/**/*.{ts,mjs}'
const ROOT_CODE = '{bundle,licenses}.ts'
const CONTRACT = 'domains/*.ts'
const ENTRIES = ['main/serve.ts', 'package/millrace.ts', 'package/create/create.ts']
/** What the package has beside its code. */
const ASSETS = [
  'LICENSE',
  'deploy/versions.json',
  'kind-config.yaml',
  'knative/base',
  'knative/components',
  'knative/platform',
  'knative/platform-kind',
  'main/node-version.mjs',
]

const EMIT = {
  noEmit: false,
  declaration: true,
  sourceMap: true,
  // A debugger and a stack show the sources, which the package does not have.
  inlineSources: true,
  rewriteRelativeImportExtensions: true,
}

const manifest: Manifest = JSON.parse(readFileSync('package.json', 'utf8'))

/** Makes both packages with this version in `out`. */
export async function pack(version: string, out = OUT): Promise<void> {
  rmSync(STAGE, { recursive: true, force: true })
  compile(packedManifest(manifest, version))
  for (const path of ASSETS) cpSync(path, join(MILLRACE, path), { recursive: true })
  cpSync('package/README.md', join(MILLRACE, 'README.md'))

  // The program that makes projects is a package of its own.
  const create = join(STAGE, 'create-millrace')
  await createTemplate(join(create, 'template'))
  cpSync(join(MILLRACE, 'package/create/create.js'), join(create, 'create.js'))
  rmSync(join(MILLRACE, 'package/create'), { recursive: true })
  for (const path of ['LICENSE', 'package/create/README.md']) cpSync(path, join(create, basename(path)))
  writeJson(join(create, 'package.json'), createManifest(manifest, version))

  for (const folder of [MILLRACE, create]) {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', out], { cwd: folder, stdio: 'inherit' })
  }
}

/** Compiles copies of the sources in which each import is relative, since the compiler rewrites `.ts` in relative ones only. */
function compile(packed: object): void {
  const paths = globSync([CODE, ROOT_CODE, CONTRACT]).filter((path) => !/\.test\.ts$|\/(template|page)\//.test(path))
  for (const path of paths) {
    mkdirSync(dirname(join(MILLRACE, path)), { recursive: true })
    writeFileSync(join(MILLRACE, path), withRelativeImports(path, readFileSync(path, 'utf8')))
  }
  // The compiler reads it, because the API description has the version.
  writeJson(join(MILLRACE, 'package.json'), packed)
  writeJson(join(MILLRACE, 'tsconfig.json'), {
    extends: resolve('tsconfig.json'),
    compilerOptions: { ...EMIT, rootDir: '.', outDir: '.' },
    include: [],
    files: [...Object.values(manifest.exports).filter((path) => path.endsWith('.ts')), ...ENTRIES],
  })
  execFileSync(resolve('node_modules/.bin/tsc'), ['-p', MILLRACE], { stdio: 'inherit' })
  for (const path of [...paths.filter((path) => path.endsWith('.ts')), 'tsconfig.json']) rmSync(join(MILLRACE, path))
}

function withRelativeImports(path: string, text: string): string {
  return text.replaceAll(/'#([\w-]+\/[^']+\.ts)'/g, (_, target: string) => {
    const found = relative(dirname(path), target)
    return `'${found.startsWith('.') ? found : `./${found}`}'`
  })
}

const writeJson = (path: string, value: object): void => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)

if (import.meta.main) await pack(process.argv[2] ?? manifest.version)
