import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { DOMAINS_FOLDER } from './project.ts'

/** The .proto files of domains: each has the name of its folder. A bundle has copies beside it. */
export async function findProtos(folder = DOMAINS_FOLDER): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => fileURLToPath(new URL(`${name}/${name}.proto`, folder)))
    .filter((path) => existsSync(path))
}
