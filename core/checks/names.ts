import type { Collection, Domain, Index } from '#domains/domain.ts'
import { collectionsOf, storedSchemas } from '../registry.ts'
import { schema as schemaForm } from './forms.ts'
import { hint } from './hints.ts'
import { membersOf } from './schema-members.ts'

const DOMAIN_NAME = /^[\w-]{1,100}$/
const TOPIC_NAME = /^(?!\.{1,2}$)[\w.-]{1,249}$/
/** MongoDB allows 255 bytes with the name of the database, which has at most 63. A table of SQLite takes any of these names. */
const COLLECTION_NAME = /^(?!system\.)[A-Za-z_]([\w.-]{0,189})$(?<!\.)/
const INDEX_NAME = /^(?!(?:expiry|_id_)$)[\w-]{1,60}$/
const FIELD_NAME = /^[A-Za-z_]\w*$/
/** RFC 6749, without commas, which separate scopes in a record, and without the word for no scopes in ANONYMOUS_SCOPES. */
const SCOPE = /^(?!none$)[!#-+\--[\]-~]+$/

/** The mistakes in the names, the topic and the collections of a domain. */
export const nameMistakes = (place: string, domain: Domain): string[] => [
  ...(DOMAIN_NAME.test(domain.name)
    ? []
    : [`${place}: The name of a domain must be 1 to 100 letters, digits, "_" and "-".`]),
  ...topicMistakes(place, domain),
  ...collectionsOf(domain).flatMap((collection) => [
    ...collectionMistakes(place, collection),
    ...fieldMistakes(`${place}, collection ${collection.name}`, collection, membersIn(domain, collection)),
  ]),
  ...roleMistakes(place, domain),
]

function topicMistakes(place: string, { topic, commands }: Domain): string[] {
  const { name, plain } = topic
  const types = Object.keys(commands)
  return [
    ...(TOPIC_NAME.test(name)
      ? []
      : [
          `${place}, topic ${name}: The name of a topic must be 1 to 249 letters, digits, ".", "_" and "-", other than "." and "..".`,
        ]),
    ...(plain === undefined || types.includes(plain)
      ? []
      : [`${place}, topic ${name}: plain "${plain}" is not a command of the domain.${hint(plain, types)}`]),
  ]
}

function collectionMistakes(domain: string, { name, indexes }: Collection): string[] {
  const place = `${domain}, collection ${name}`
  return [
    ...(COLLECTION_NAME.test(name)
      ? []
      : [
          `${place}: The name of a collection must be 1 to 190 letters, digits, "_", "-" and ".". It begins with a letter or "_" but not with "system.", and does not end with ".".`,
        ]),
    ...Object.entries(indexes).flatMap(([index, declared]) => indexMistakes(place, index, declared)),
  ]
}

function indexMistakes(collection: string, index: string, { fields, each }: Index): string[] {
  const place = `${collection}, index ${index}`
  const repeated = new Set(fields.filter((field, at) => fields.indexOf(field) !== at))
  const unusable = fields.filter((field) => field !== '_id' && !FIELD_NAME.test(field))
  return [
    ...(INDEX_NAME.test(index)
      ? []
      : [
          `${place}: The name of an index must be 1 to 60 letters, digits, "_" and "-", other than "expiry" and "_id_".`,
        ]),
    ...[...repeated].map((field) => `${place}: Field "${field}" is listed twice. List it once.`),
    ...unusable.map(
      (field) =>
        `${place}: The name of the field "${field}" must be letters, digits and "_", and begin with a letter or "_".`,
    ),
    ...(fields.includes('_id') ? [`${place}: _id is always the last field of an index. Do not list it.`] : []),
    ...(each === undefined || fields.includes(each)
      ? []
      : [`${place}: each "${each}" is not one of its fields.${hint(each, fields)}`]),
  ]
}

/** The members of a collection's documents. Undefined if its schema does not tell them. */
function membersIn(domain: Domain, { name }: Collection): Set<string> | undefined {
  const { collections } = storedSchemas(domain)
  const schema = Object.hasOwn(collections, name) ? collections[name]?.schema : undefined
  return schema && schemaForm.is(schema) ? membersOf(schema, 'out') : undefined
}

/** The fields of indexes that no document has. A store takes them, and sorts by nothing. */
const fieldMistakes = (place: string, { indexes }: Collection, members: Set<string> | undefined): string[] =>
  members === undefined
    ? []
    : Object.entries(indexes).flatMap(([index, { fields }]) =>
        [...new Set(fields)]
          .filter((field) => FIELD_NAME.test(field) && field !== '_id' && !members.has(field))
          .map((field) => `${place}, index ${index}: Field "${field}" is not in the schema.${hint(field, members)}`),
      )

function roleMistakes(place: string, { roles = {}, commands, queries }: Domain): string[] {
  const used = [...Object.values(commands), ...queries].flatMap((part) => part?.scope ?? [])
  const scopes = new Set([...Object.values(roles).flat(), ...used])
  return [...scopes]
    .filter((scope) => !SCOPE.test(scope))
    .map(
      (scope) =>
        `${place}: The scope "${scope}" must be printable ASCII without blanks, commas, quotes and backslashes, other than "none".`,
    )
}
