import { ASYNCAPI_PATH, DOCS_PATH, FILE_PATH, OPENAPI_PATH } from '#core/description-paths.ts'
import { namesIn } from '#core/request.ts'
import { type Operation, pathParameter, problems, response, UNCHANGED } from './operation.ts'
import type { Schema } from './schemas.ts'

const described = (path: string, name: string, summary: string, content: { [type: string]: Schema }): Operation => ({
  method: 'get',
  path,
  operationId: `docs.${name}`,
  security: [],
  tags: ['docs'],
  summary,
  parameters: namesIn(path).map((name) => pathParameter(name)),
  responses: { 200: response('OK', content, ['ETag']), 304: UNCHANGED, ...problems(404) },
})

const json = { 'application/json': { type: 'object' } }
const text = { type: 'string' }

/** The routes of the descriptions themselves. */
export const descriptionOperations: Operation[] = [
  described(OPENAPI_PATH, 'openapi', 'The HTTP API as an OpenAPI document', json),
  described(ASYNCAPI_PATH, 'asyncapi', 'The Kafka topics as an AsyncAPI document', json),
  described(DOCS_PATH, 'page', 'The HTTP API as a web page, to read and to try', { 'text/html': text }),
  described(FILE_PATH, 'file', 'The files of that web page', { 'text/css': text, 'text/javascript': text }),
]
