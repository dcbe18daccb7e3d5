/** Where the files of swagger-ui lie. A bundle has its copies beside it. */
export const renderer = new URL('../../node_modules/swagger-ui-dist/', import.meta.url)
