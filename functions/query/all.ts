import type { Document, Domain, Fields } from '#domains/domain.ts'
import type { AllQuery } from '#domains/query.ts'
import { type Answering, AT_ONCE, collectionOf, type Parts } from './answer.ts'
import { listOf, reading } from './list.ts'

/** The whole collection as one array, however large it is. */
export function all({ store }: Parts, domain: Domain, query: AllQuery): Answering {
  const list = listOf(collectionOf(domain, query), query, {})
  const headers = { 'content-type': 'application/json' }
  return async () => ({ status: 200, headers, body: array(reading(store, list, undefined, AT_ONCE), query.shape) })
}

/** Nothing is given before the first documents are read: an outage is then a 503, and not a broken stream. */
async function* array(pages: AsyncIterable<Document[]>, shape: (document: Document) => Fields): AsyncGenerator<string> {
  let before = '['
  for await (const documents of pages) {
    yield before + documents.map((document) => JSON.stringify(shape(document))).join(',')
    before = ','
  }
  yield before === '[' ? '[]' : ']'
}
