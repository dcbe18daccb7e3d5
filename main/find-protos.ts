import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** The .proto files of domains: each has the name of its folder. A bundle has copies beside it. */
export async function findProtos(folder = new URL('../domains/', import.meta.url)): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => fileURLToPath(new URL(`${name}/${name}.proto`, folder)))
    .filter((path) => existsSync(path))
}
