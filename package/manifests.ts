/** The package.json files of the packages, which follow from that of this repository. */
export interface Manifest {
  version: string
  description: string
  license: string
  engines: { [name: string]: string }
  exports: { [path: string]: string }
  dependencies: { [name: string]: string }
  devDependencies: { [name: string]: string }
  allowScripts: { [name: string]: boolean }
}

/** Packages that are development dependencies here, since no image has them, and that `millrace` runs in a project. */
const PROGRAMS = ['esbuild', 'oidc-provider']

/** `millrace`. A project and Millrace share one zod, because the types of a schema belong to the package that made it. */
export function packedManifest(manifest: Manifest, version: string): object {
  const { description, license, engines, exports, dependencies, devDependencies } = manifest
  const { zod, ...others } = dependencies
  return {
    name: 'millrace',
    version,
    description,
    license,
    type: 'module',
    engines,
    bin: { millrace: 'package/millrace.js' },
    exports: Object.fromEntries(Object.entries(exports).map(([path, file]) => [path, compiled(file)])),
    dependencies: { ...others, ...Object.fromEntries(PROGRAMS.map((name) => [name, devDependencies[name]])) },
    peerDependencies: { zod: `^${zod}` },
  }
}

const compiled = (file: string): string | object =>
  file.endsWith('.ts') ? { types: file.replace(/\.ts$/, '.d.ts'), default: file.replace(/\.ts$/, '.js') } : file

/** `create-millrace`, which `npm create millrace` runs. It has the versions of the packages that it writes into a project. */
export function createManifest(manifest: Manifest, version: string): object {
  const { license, engines, dependencies, devDependencies, allowScripts } = manifest
  const picked = (from: { [name: string]: string }, names: string[]) =>
    Object.fromEntries(names.map((name) => [name, `^${from[name]}`]))
  return {
    name: 'create-millrace',
    version,
    description: 'Makes a project with a domain for Millrace: npm create millrace shop',
    license,
    type: 'module',
    engines,
    bin: { 'create-millrace': 'create.js' },
    project: {
      dependencies: { millrace: `^${version}`, ...picked(dependencies, ['zod']) },
      devDependencies: picked(devDependencies, ['@types/node', 'typescript', 'vitest']),
      allowScripts,
    },
  }
}
