import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { withLetters } from '#core/registry.ts'
import { sourceFiles } from '../generate/files.ts'
import hello from './create/template/domains/hello/domain.ts'

const OVERLAYS = 'knative/overlays/{kind,production}/*'
const BASE = 'node_modules/millrace/knative'

/**
 * Writes the files of a new project: those in package/create/template, the overlays of this repository over the base and the
 * components of the package, and the KafkaSources of its domain.
 */
export async function createTemplate(folder: string): Promise<void> {
  cpSync('package/create/template', folder, { recursive: true })
  for (const path of globSync(OVERLAYS)) {
    const text = readFileSync(path, 'utf8').replaceAll(/\.\.\/\.\.\/(base|components)/g, `../../../${BASE}/$1`)
    write(join(folder, path), text)
  }
  for (const { path, text } of sourceFiles(withLetters([hello])))
    if (text !== undefined) write(join(folder, path), text)
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
