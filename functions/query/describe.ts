import { readFile } from 'node:fs/promises'
import { json, Problem, type Response } from '#adapters/host/http.ts'
import type { Domain } from '#domains/domain.ts'
import type { CallerOf } from '../callers.ts'
import { asyncapi } from '../describe/asyncapi.ts'
import { openapi } from '../describe/openapi.ts'
import { files, PAGE_POLICY, page } from '../describe/page.ts'
import { ASYNCAPI_PATH, DOCS_PATH, FILE_PATH, OPENAPI_PATH } from '../describe/paths.ts'
import { type Answering, tagged, unlessKnown } from './answer.ts'

interface Parts {
  domains: Domain[]
  faults: boolean
  callerOf: CallerOf
}

/** What tells of the API, by path. A description is made when it is first asked for: a start does not pay for it. */
export function descriptions({ domains, faults, callerOf }: Parts): { [path: string]: Answering } {
  return {
    [OPENAPI_PATH]: made(async () => openapi(domains, { faults, open: (await callerOf({})).scopes })),
    [ASYNCAPI_PATH]: made(() => asyncapi(domains)),
    [DOCS_PATH]: async ({ request }) => unlessKnown(request, text('text/html', page, PAGE_POLICY)),
    [FILE_PATH]: async ({ request, params }): Promise<Response> => {
      const file = files.get(String(params.file))
      if (!file) throw new Problem(404, 'Not found', `There is nothing at ${request.path}.`)
      const content = typeof file.content === 'string' ? file.content : await readFile(file.content, 'utf8')
      return unlessKnown(request, text(file.type, content))
    },
  }
}

function made(make: () => object | Promise<object>): Answering {
  let description: object | undefined
  return async ({ request }) => {
    description ??= await make()
    return tagged(request, description)
  }
}

const text = (type: string, body: string, headers: Record<string, string> = {}) => ({
  ...json(200, undefined, { 'cache-control': 'no-cache', ...headers, 'content-type': `${type}; charset=utf-8` }),
  body,
})
