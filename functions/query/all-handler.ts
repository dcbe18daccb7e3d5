import type { Document, Domain, Fields } from '#domains/domain.ts'
import type { AllQuery } from '#domains/query.ts'
import { collectionOf, type QueryHandler, type QueryParts, SCAN_BATCH } from './handler.ts'
import { indexScanOf, scan } from './index-scan.ts'

/** Answers the whole collection as one JSON array, streamed. */
export function allHandler({ store }: QueryParts, domain: Domain, query: AllQuery): QueryHandler {
  const indexScan = indexScanOf(collectionOf(domain, query), query, {})
  const headers = { 'content-type': 'application/json' }
  return async () => {
    const documents = scan(store, indexScan, undefined, SCAN_BATCH)
    return { status: 200, headers, body: arrayOf(documents, query.shape) }
  }
}

/** Yields nothing before the first read, so that an outage is a 503 and not a broken response. */
async function* arrayOf(
  batches: AsyncIterable<Document[]>,
  shape: (document: Document) => Fields,
): AsyncGenerator<string> {
  let separator = '['
  for await (const documents of batches) {
    yield separator + documents.map((document) => JSON.stringify(shape(document))).join(',')
    separator = ','
  }
  yield separator === '[' ? '[]' : ']'
}
