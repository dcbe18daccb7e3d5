import type { Document, Domain } from '#domains/domain.ts'
import type { AllQuery, Asked } from '#domains/query.ts'
import { askedOf, collectionOf, type QueryHandler, type QueryParts, SCAN_BATCH } from './handler.ts'
import { indexScanOf, scan } from './index-scan.ts'

/** Answers the whole list as one JSON array, streamed. */
export function allHandler({ store }: QueryParts, domain: Domain, query: AllQuery): QueryHandler {
  const collection = collectionOf(domain, query)
  const headers = { 'content-type': 'application/json' }
  return async (queryRequest) => {
    const documents = scan(store, indexScanOf(collection, query, queryRequest), undefined, SCAN_BATCH)
    return { status: 200, headers, body: arrayOf(documents, query, askedOf(queryRequest)) }
  }
}

/** Yields nothing before the first read, so that an outage is a 503 and not a broken response. */
async function* arrayOf(
  batches: AsyncIterable<Document[]>,
  query: Pick<AllQuery, 'shape'>,
  asked: Asked,
): AsyncGenerator<string> {
  let separator = '['
  for await (const documents of batches) {
    const items = documents.flatMap((document) => JSON.stringify(query.shape(document, asked)) ?? [])
    if (items.length === 0) continue
    yield separator + items.join(',')
    separator = ','
  }
  yield separator === '[' ? '[]' : ']'
}
