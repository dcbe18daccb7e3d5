import { readFile } from 'node:fs/promises'
import { ASYNCAPI_PATH, DOCS_PATH, FILE_PATH, OPENAPI_PATH } from '#core/description-paths.ts'
import { tagged, unlessKnown } from '#core/etag.ts'
import { Problem } from '#core/problem.ts'
import { jsonResponse, type Request, type Response } from '#core/request.ts'
import type { Domain, Fields } from '#domains/domain.ts'
import { asyncapi } from './asyncapi.ts'
import { files, PAGE_POLICY, page } from './docs-page.ts'
import { openapi } from './openapi.ts'

interface DescriptionOptions {
  domains: Domain[]
  faults: boolean
  /** The scopes of a caller without a token. */
  anonymousScopes: ReadonlySet<string>
}

export type DescriptionHandler = (queryRequest: { request: Request; params: Fields }) => Promise<Response>

/** The handlers of the descriptions by path. A description is created at its first request, to keep the start short. */
export function descriptions({ domains, faults, anonymousScopes }: DescriptionOptions): {
  [path: string]: DescriptionHandler
} {
  return {
    [OPENAPI_PATH]: createdOnce(() => openapi(domains, { faults, open: anonymousScopes })),
    [ASYNCAPI_PATH]: createdOnce(() => asyncapi(domains)),
    [DOCS_PATH]: async ({ request }) => unlessKnown(request, text('text/html', page, PAGE_POLICY)),
    [FILE_PATH]: async ({ request, params }): Promise<Response> => {
      const file = files.get(String(params.file))
      if (!file) throw new Problem(404, 'Not found', `There is nothing at ${request.path}.`)
      const content = typeof file.content === 'string' ? file.content : await readFile(file.content, 'utf8')
      return unlessKnown(request, text(file.type, content))
    },
  }
}

function createdOnce(create: () => object): DescriptionHandler {
  let description: object | undefined
  return async ({ request }) => {
    description ??= create()
    return tagged(request, description)
  }
}

const text = (type: string, body: string, headers: Record<string, string> = {}) => ({
  ...jsonResponse(200, undefined, {
    'cache-control': 'no-cache',
    ...headers,
    'content-type': `${type}; charset=utf-8`,
  }),
  body,
})
