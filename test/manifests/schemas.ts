import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Makes schemas/ for Kubernetes' own kinds from its API as published in its Go module, closed, so that a field that is not
 * known is an error: `node test/manifests/schemas.ts`. Those of Knative and Flux are their CRDs' and lie there as they are.
 */
const MODULE = 'k8s.io/kubernetes@v1.34.4'
const KINDS = [
  'io.k8s.api.apps.v1.Deployment',
  'io.k8s.api.apps.v1.StatefulSet',
  'io.k8s.api.batch.v1.Job',
  'io.k8s.api.core.v1.ConfigMap',
  'io.k8s.api.core.v1.Namespace',
  'io.k8s.api.core.v1.Service',
  'io.k8s.api.core.v1.ServiceAccount',
  'io.k8s.api.networking.v1.NetworkPolicy',
  'io.k8s.api.policy.v1.PodDisruptionBudget',
]
const OUT = 'test/manifests/schemas'

interface Schema {
  $ref?: string
  type?: string
  format?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  additionalProperties?: Schema | boolean
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[]
}

const { Dir } = JSON.parse(execFileSync('go', ['mod', 'download', '-json', MODULE], { encoding: 'utf8' }))
const swagger = readFileSync(join(Dir, 'api/openapi-spec/swagger.json'), 'utf8')
const definitions = JSON.parse(swagger).definitions as Record<string, Schema>
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity'

for (const name of KINDS) {
  const [is] = definitions[name]?.['x-kubernetes-group-version-kind'] ?? []
  if (!is) throw new Error(`${MODULE} has no ${name}`)
  const known: Record<string, unknown> = {}
  const schema = closed(definitions[name] as Schema, known)
  const file = join(OUT, is.group || is.version, `${is.kind.toLowerCase()}_${is.version}.json`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ ...schema, definitions: known })}\n`)
}

/** Without descriptions; what it refers to goes into `known`. */
function closed(schema: Schema, known: Record<string, unknown>): object {
  if (schema.$ref) {
    const name = schema.$ref.replace('#/definitions/', '')
    if (!(name in known)) {
      known[name] = {}
      known[name] = name === QUANTITY ? { type: ['string', 'number'] } : closed(definitions[name] as Schema, known)
    }
    return { $ref: schema.$ref }
  }
  if (schema.format === 'int-or-string') return { type: ['string', 'integer'] }
  const { type, properties, required, items, additionalProperties } = schema
  const each = Object.entries(properties ?? {}).map(([name, property]) => [name, closed(property, known)])
  return {
    type,
    required,
    ...(properties ? { properties: Object.fromEntries(each), additionalProperties: false } : {}),
    ...(items ? { items: closed(items, known) } : {}),
    ...(typeof additionalProperties === 'object' ? { additionalProperties: closed(additionalProperties, known) } : {}),
  }
}
