import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/** The folder of swagger-ui's files. A bundle has copies of them beside it. */
export const renderer = new URL(
  '.',
  pathToFileURL(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json')),
)
