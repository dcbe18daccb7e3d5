import { ASYNCAPI_PATH, DOCS_PATH, FILE_PATH, OPENAPI_PATH } from '#core/description-paths.ts'
import { answer, namesIn, type Operation, pathParameter, problems, UNCHANGED } from './operation.ts'
import type { Schema } from './schemas.ts'

const described = (path: string, name: string, summary: string, content: { [type: string]: Schema }): Operation => ({
  method: 'get',
  path,
  operationId: `docs.${name}`,
  security: [],
  tags: ['docs'],
  summary,
  parameters: namesIn(path).map((name) => pathParameter(name)),
  responses: { 200: answer('OK', content, ['ETag']), 304: UNCHANGED, ...problems(404) },
})

const json = { 'application/json': { type: 'object' } }
const text = { type: 'string' }

/** The descriptions describe themselves too. */
export const own: Operation[] = [
  described(OPENAPI_PATH, 'openapi', 'This description', json),
  described(ASYNCAPI_PATH, 'asyncapi', 'What is on the topics', json),
  described(DOCS_PATH, 'page', 'The page of this description', { 'text/html': text }),
  described(FILE_PATH, 'file', 'What that page is made of', { 'text/css': text, 'text/javascript': text }),
]
