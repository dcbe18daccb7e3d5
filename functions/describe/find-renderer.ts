/** The folder of swagger-ui's files. A bundle has copies of them beside it. */
export const renderer = new URL('../../node_modules/swagger-ui-dist/', import.meta.url)
