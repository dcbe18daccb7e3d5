export const JSON_TYPE = 'application/json'
/** One JSON text a line. */
export const NDJSON_TYPE = 'application/x-ndjson'
