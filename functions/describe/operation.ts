import type { Schema } from './schemas.ts'

/** An operation of OpenAPI: one method of one path. */
export interface Operation {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  path: string
  operationId: string
  /** The kind of query, which tells the typed client how to read the answer. */
  'x-answers'?: string
  tags: string[]
  summary: string
  description?: string
  parameters: object[]
  requestBody?: object
  responses: { [status: string]: object }
  security?: object[]
}

/** The name of an operation that declares none: `get /api/notes/{id}` is `getApiNotesId`. */
export const nameOf = (method: string, path: string): string =>
  method.toLowerCase() +
  [...path.matchAll(/[A-Za-z0-9]+/g)].map(([part]) => part.charAt(0).toUpperCase() + part.slice(1)).join('')

export const pathParameter = (name: string, schema: Schema = { type: 'string' }) => ({
  name,
  in: 'path',
  required: true,
  schema,
})

export const parameter = (name: string) => ({ $ref: `#/components/parameters/${name}` })

export const response = (description: string, content: { [type: string]: Schema }, headers: string[] = []) => ({
  description,
  content: Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }])),
  ...(headers.length > 0
    ? { headers: Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }])) }
    : {}),
})

/** The problems with these statuses, and any other problem. */
export const problems = (...statuses: number[]) =>
  Object.fromEntries([...statuses, 'default'].map((status) => [status, { $ref: `#/components/responses/${status}` }]))

export const UNCHANGED = { description: 'The client has the current version.' }
