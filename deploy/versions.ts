import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { MINUTE_MS } from '#core/clock.ts'

const semver = z.string().regex(/^\d+\.\d+\.\d+$/)

const release = z.strictObject({
  version: semver,
  /** With {version} and {file}. */
  url: z.url(),
  /** The sha256 of each file; null until `make pin`. */
  files: z.record(
    z.string(),
    z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .nullable(),
  ),
})

const schema = z.strictObject({
  /** The version of kind that the node image was made for. */
  kind: semver,
  /** Kubernetes on kind, by digest. */
  node: z.string().regex(/@sha256:[0-9a-f]{64}$/),
  releases: z.record(z.string(), release),
})

export type Release = z.infer<typeof release>
export type Versions = z.infer<typeof schema>

export const readVersions = (path: string): Versions => schema.parse(JSON.parse(readFileSync(path, 'utf8')))

export const filesOf = ({ releases }: Versions): { release: Release; file: string }[] =>
  Object.values(releases).flatMap((release) => Object.keys(release.files).map((file) => ({ release, file })))

/** Downloads a file of a release if necessary and resolves with its path. Throws for a file without a checksum, or with another one. */
export async function pinned(release: Release, file: string, folder: string): Promise<string> {
  const expected = release.files[file]
  if (!expected)
    throw new Error(`${file} ${release.version} has no checksum yet: run \`make pin\` and commit what it fills in`)
  const path = pathOf(release, file, folder)
  if (existsSync(path) && sha256(readFileSync(path)) === expected) return path
  const content = await download(release, file)
  const actual = sha256(content)
  if (actual !== expected) {
    throw new Error(`${urlOf(release, file)} differs from the pinned file:\n  pinned ${expected}\n  found  ${actual}`)
  }
  return save(path, content, folder)
}

/** Fills in the missing checksums. An existing checksum is compared and never replaced. */
export async function pin(path: string, print: (line: string) => void): Promise<void> {
  const versions = readVersions(path)
  for (const { release, file } of filesOf(versions)) {
    const expected = release.files[file]
    const actual = sha256(await download(release, file))
    if (expected && expected !== actual) {
      throw new Error(
        `${urlOf(release, file)} has changed since it was pinned:\n  pinned ${expected}\n  found  ${actual}`,
      )
    }
    release.files[file] = actual
    print(`${actual}  ${file} ${release.version}`)
  }
  writeFileSync(path, `${JSON.stringify(versions, null, 2)}\n`)
}

const urlOf = ({ url, version }: Release, file: string): string =>
  url.replaceAll('{version}', version).replaceAll('{file}', file)

const pathOf = ({ version }: Release, file: string, folder: string): string => join(folder, `${version}-${file}`)

function save(path: string, content: Buffer, folder: string): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${path}.part`, content)
  renameSync(`${path}.part`, path)
  return path
}

async function download(release: Release, file: string): Promise<Buffer> {
  const url = urlOf(release, file)
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(MINUTE_MS) })
    if (!answer.ok) throw new Error(`${answer.status}`)
    return Buffer.from(await answer.arrayBuffer())
  } catch (cause) {
    throw new Error(`can't download ${url}: ${reasonOf(cause as Error)}`, { cause })
  }
}

const reasonOf = ({ message, cause }: Error): string =>
  cause instanceof Error ? `${message}: ${cause.message}` : message

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex')
