import { answer, namesIn, type Operation, pathParameter, problems, UNCHANGED } from './operation.ts'
import type { Schema } from './schemas.ts'

export const OPENAPI_PATH = '/openapi.json'
export const ASYNCAPI_PATH = '/asyncapi.json'
export const DOCS_PATH = '/docs'
export const FILE_PATH = '/docs/{file}'

const described = (path: string, summary: string, content: { [type: string]: Schema }): Operation => ({
  method: 'get',
  path,
  tags: ['docs'],
  summary,
  parameters: namesIn(path).map((name) => pathParameter(name)),
  responses: { 200: answer('OK', content, ['ETag']), 304: UNCHANGED, ...problems(404) },
})

const json = { 'application/json': { type: 'object' } }
const text = { type: 'string' }

/** The descriptions describe themselves too. */
export const own: Operation[] = [
  described(OPENAPI_PATH, 'This description', json),
  described(ASYNCAPI_PATH, 'What is on the topics', json),
  described(DOCS_PATH, 'The page of this description', { 'text/html': text }),
  described(FILE_PATH, 'What that page is made of', { 'text/css': text, 'text/javascript': text }),
]
