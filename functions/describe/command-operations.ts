import { NDJSON_TYPE } from '#core/media-types.ts'
import { namesIn } from '#core/request.ts'
import type { CommandType, Domain, Route } from '#domains/domain.ts'
import { accepted } from './core-queries.ts'
import { nameOf, type Operation, parameter, pathParameter, problems, response } from './operation.ts'
import type { Schema, Schemas } from './schemas.ts'

const ANY_TEXT: Schema = {
  type: 'string',
  description:
    'Text of any media type, in its charset or in UTF-8. Forms are not decoded. JSON must not be an object or an array.',
}

/** An operation for each route of a command. The typed client uses the first one whose body is not text. */
export function commandOperations(domain: Domain, type: string, command: CommandType, schemas: Schemas): Operation[] {
  const own = command.routes.find(({ body }) => body !== 'text')
  return command.routes.map((route) => {
    const { method, path, text } = route
    return {
      method: method.toLowerCase() as Operation['method'],
      path,
      operationId: route === own ? type : `${type}.${nameOf(method, path)}`,
      tags: [domain.name],
      summary: `${command.summary ?? type}${text === undefined ? '' : ', for old clients'}`,
      parameters: [
        ...namesIn(path).map((name) => pathParameter(name, schemas.members(command.data).properties[name])),
        ...(route.query ? queryParameters(schemas.members(command.data).properties, namesIn(path)) : []),
        parameter('Idempotency-Key'),
        parameter('Prefer'),
        ...(domain.kind === 'decide' ? [parameter('If-Match')] : []),
      ],
      ...bodyOf(route, type, command, schemas),
      responses: responsesOf(domain, route, type, schemas),
    }
  })
}

/** The members of the data as parameters. Each may be in the body instead. */
const queryParameters = (properties: { [name: string]: Schema }, inPath: string[]): object[] =>
  Object.entries(properties)
    .filter(([name]) => !inPath.includes(name))
    .map(([name, schema]) => ({ name, in: 'query', required: false, schema }))

function bodyOf(route: Route, type: string, command: CommandType, schemas: Schemas): { requestBody?: object } {
  const body = (content: { [type: string]: Schema }) => ({
    requestBody: {
      required: !route.query,
      content: Object.fromEntries(Object.entries(content).map(([media, schema]) => [media, { schema }])),
    },
  })
  if (route.body === 'none') return {}
  if (route.body === 'text') return body({ 'text/plain': { type: 'string' }, '*/*': ANY_TEXT })
  const data = dataOf(route, type, command, schemas)
  if (route.body === 'json') return body({ 'application/json': data })
  return body({
    'application/json': { oneOf: [data, { type: 'array', items: data, maxItems: 10_000 }] },
    [NDJSON_TYPE]: { type: 'string', description: 'One command a line, at most 10,000 lines.' },
  })
}

/** The schema of the body, without the members in the path. Those that the query string may have are optional. */
function dataOf({ path, read, query }: Route, type: string, { data }: CommandType, schemas: Schemas): Schema {
  if (read) return { type: 'object' }
  const inPath = namesIn(path)
  if (inPath.length === 0 && !query) return schemas.input(type, data)
  const { properties, required, minProperties, ...more } = schemas.members(data)
  const leastLeft = Number(minProperties ?? 0) - inPath.length
  const isLeft = (name: string) => !inPath.includes(name)
  return {
    ...more,
    type: 'object',
    properties: Object.fromEntries(Object.entries(properties).filter(([name]) => isLeft(name))),
    required: query ? [] : required.filter(isLeft),
    ...(leastLeft > 0 ? { minProperties: leastLeft } : {}),
    additionalProperties: false,
  }
}

function responsesOf(domain: Domain, route: Route, type: string, schemas: Schemas) {
  const isDecide = domain.kind === 'decide'
  const hasBody = route.body !== 'none'
  return {
    ...successOf(route, type, schemas),
    ...problems(400, 409, ...(isDecide ? [412] : []), ...(hasBody ? [413, 415] : []), 422, 503),
  }
}

function successOf(route: Route, type: string, schemas: Schemas): { [status: string]: object } {
  const receipt = schemas.output('Accepted', accepted)
  const headers = ['Location', 'Preference-Applied']
  const taken = (content: { [type: string]: Schema }) => ({
    200: response('The command is durable.', content, headers),
  })
  if (route.text !== undefined) return taken({ 'text/plain': { type: 'string', const: route.text } })
  if (route.answer) {
    return taken({
      'application/json': route.answered ? schemas.output(`${type}.answer`, route.answered) : { type: 'object' },
    })
  }
  const content = { 'application/json': receipt }
  const pending = { 202: response('The command is durable. Its outcome is not known yet.', content, ['Location']) }
  const applied = { [route.created ? 201 : 200]: response('The command is applied.', content, headers) }
  return route.body === 'batch' ? { ...applied, ...linesOf(schemas) } : { ...applied, ...pending }
}

/** The responses of a batch, with a result for each line. */
function linesOf(schemas: Schemas) {
  const line: Schema = {
    type: 'object',
    properties: {
      line: { type: 'integer' },
      status: { type: 'integer', description: 'The status that the line would have as a request of its own' },
      id: { type: 'string' },
      receipt: { type: 'string' },
      detail: { type: 'string' },
    },
    required: ['line', 'status'],
  }
  const lines = { type: 'array', items: schemas.add('Line', line) }
  const ndjson = { type: 'string', description: 'One result a line.' }
  const one = schemas.output('Accepted', accepted)
  return {
    202: response('The command, or all lines of the batch, are durable.', {
      'application/json': { oneOf: [one, lines] },
      [NDJSON_TYPE]: ndjson,
    }),
    207: response('Some lines of the batch are durable.', { 'application/json': lines, [NDJSON_TYPE]: ndjson }),
  }
}
