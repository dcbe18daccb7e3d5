import type { Schema } from './schemas.ts'

/** What OpenAPI calls an operation: one method of one path. */
export interface Operation {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  path: string
  operationId: string
  /** Which kind of query it is: how the typed client reads the answer. */
  'x-answers'?: string
  tags: string[]
  summary: string
  description?: string
  parameters: object[]
  requestBody?: object
  responses: { [status: string]: object }
  security?: object[]
}

/** A name for what declares none: `get /api/notes/{id}` is `getApiNotesId`. */
export const nameOf = (method: string, path: string): string =>
  method.toLowerCase() +
  [...path.matchAll(/[A-Za-z0-9]+/g)].map(([part]) => part.charAt(0).toUpperCase() + part.slice(1)).join('')

export const namesIn = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)

export const pathParameter = (name: string, schema: Schema = { type: 'string' }) => ({
  name,
  in: 'path',
  required: true,
  schema,
})

export const parameter = (name: string) => ({ $ref: `#/components/parameters/${name}` })

export const answer = (description: string, content: { [type: string]: Schema }, headers: string[] = []) => ({
  description,
  content: Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }])),
  ...(headers.length > 0
    ? { headers: Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }])) }
    : {}),
})

/** Problems, by their statuses; what else can go wrong is one too. */
export const problems = (...statuses: number[]) =>
  Object.fromEntries([...statuses, 'default'].map((status) => [status, { $ref: `#/components/responses/${status}` }]))

export const UNCHANGED = { description: 'The client has it.' }
