/** The paths of the descriptions of the API. */
export const OPENAPI_PATH = '/openapi.json'
export const ASYNCAPI_PATH = '/asyncapi.json'
export const DOCS_PATH = '/docs'
export const FILE_PATH = '/docs/{file}'
