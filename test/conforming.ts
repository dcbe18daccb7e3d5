import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { type RouteEntry, router } from '#core/request.ts'

interface Operation {
  pointer: string
  responses: { [status: string]: { $ref?: string; content?: { [type: string]: object } } }
}

/**
 * A fetch that throws if a response does not conform to the site's /openapi.json: an undescribed status or media type, or a body
 * that fails its schema.
 */
export async function conforming(site: string): Promise<typeof globalThis.fetch> {
  const document = (await (await fetch(`${site}/openapi.json`)).json()) as Described
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  formats.default(ajv)
  ajv.addSchema(document, 'api')
  const match = router(operationsOf(document))

  return async (input, init) => {
    const { method, url } = new Request(input, init)
    const response = await fetch(input, init)
    const { pathname } = new URL(url)
    const { target } = match(method, decodeURI(pathname))
    const wrong = (what: string) => new Error(`${method} ${pathname} ${response.status}: ${what}`)

    const status = String(response.status) in target.responses ? String(response.status) : 'default'
    if (status === 'default' && response.ok) throw wrong('this status is not described')
    const { $ref = '', content = {} } = target.responses[status] ?? {}
    const shared = document.components.responses[$ref.split('/').at(-1) ?? '']
    const media = response.headers.get('content-type')?.split(';', 1)[0] ?? ''
    const place = $ref === '' ? `${target.pointer}/responses/${status}` : $ref.slice(1)
    if (response.status === 304 || method === 'HEAD') return response
    if (!(media in (shared?.content ?? content))) throw wrong(`${media} is not described`)
    if (!/[/+]json$/.test(media)) return response
    const text = await response.clone().text()
    const validate = ajv.compile({ $ref: `api#${place}/content/${escaped(media)}/schema` })
    if (!validate(JSON.parse(text))) {
      throw wrong(`${ajv.errorsText(validate.errors)} in ${text.slice(0, 500)}`)
    }
    return response
  }
}

interface Described {
  paths: { [path: string]: { [method: string]: Omit<Operation, 'pointer'> } }
  components: { responses: { [name: string]: { content: { [type: string]: object } } } }
}

const operationsOf = ({ paths }: Described): RouteEntry<Operation>[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { responses }]) => ({
      method: method.toUpperCase() as RouteEntry<unknown>['method'],
      path,
      target: { pointer: `/paths/${escaped(path)}/${method}`, responses },
    })),
  )

/** The part of a JSON pointer in the form that a URI needs. */
const escaped = (part: string): string => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))
