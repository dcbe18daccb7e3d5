import { DOCS_PATH, OPENAPI_PATH } from '#core/description-paths.ts'
import { renderer } from './find-renderer.ts'

/** The policy of the page: it connects to this site only, runs these files only and is in no frame. swagger-ui needs inline styles. */
export const PAGE_POLICY = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
}

export const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Millrace: the API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${DOCS_PATH}/swagger-ui.css">
  </head>
  <body>
    <main id="api"></main>
    <script src="${DOCS_PATH}/swagger-ui-bundle.js"></script>
    <script src="${DOCS_PATH}/start.js"></script>
  </body>
</html>
`

const start = `SwaggerUIBundle({
  url: '${OPENAPI_PATH}',
  dom_id: '#api',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
})
`

/** The files of the page: our own as text, those of swagger-ui as URLs. */
export const files = new Map<string, { type: string; content: string | URL }>([
  ['start.js', { type: 'text/javascript', content: start }],
  ['swagger-ui-bundle.js', { type: 'text/javascript', content: new URL('swagger-ui-bundle.js', renderer) }],
  ['swagger-ui.css', { type: 'text/css', content: new URL('swagger-ui.css', renderer) }],
])
