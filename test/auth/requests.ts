/** The existing documents that requests refer to. */
export interface Given {
  tutorial: string
  receipt: string
  letter: string
}

export interface MatrixRequest {
  path: string
  body?: string
  headers?: Record<string, string>
}

const json = (body: object) => JSON.stringify(body)
const log = (organizationId: string) => json({ organizationId, level: 'info', message: 'It turns', service: 'mill' })
const lines = { 'content-type': 'application/x-ndjson' }
const event = (type: string) => ({
  'ce-specversion': '1.0',
  'ce-id': crypto.randomUUID(),
  'ce-source': '/matrix',
  'ce-type': type,
})
/** These commands leave the letter for the next caller. */
const redrive = json({ id: 'none' })
const discard = json({ id: 'none', reason: 'a test' })

const imported = json({ id: '507f1f77bcf86cd799439011', title: 'It turned' })

/** The request for each row of the matrix that needs more than its path. */
export const requests = ({ tutorial, receipt, letter }: Given): { [row: string]: MatrixRequest } => ({
  'POST /api/tutorials': { path: '/api/tutorials', body: json({ title: 'It turns' }) },
  'POST /api/publish': { path: '/api/publish', body: 'It turns', headers: { 'content-type': 'text/plain' } },
  'POST /api/tutorials/import': { path: '/api/tutorials/import', body: imported },
  'POST / as an event of an imported tutorial': { path: '/', body: imported, headers: event('tutorials.import') },
  'GET /api/tutorials/{id}': { path: `/api/tutorials/${tutorial}` },

  'POST /api/sums': { path: '/api/sums', body: json({ firstNumber: 1, secondNumber: 2 }) },

  'POST /api/sums/import': { path: '/api/sums/import', body: json({ total: 100 }) },

  'POST /api/logs of acme': { path: '/api/logs', body: log('acme') },
  'POST /api/logs of globex': { path: '/api/logs', body: log('globex') },
  'POST /api/logs by lines, of acme': { path: '/api/logs', body: `${log('acme')}\n${log('acme')}`, headers: lines },
  'POST /api/logs by lines, of both': { path: '/api/logs', body: `${log('acme')}\n${log('globex')}`, headers: lines },
  'GET /api/logs of acme': { path: '/api/logs?organizationId=acme' },
  'GET /api/logs of globex': { path: '/api/logs?organizationId=globex' },
  'GET /api/logs/stats of acme': { path: '/api/logs/stats?organizationId=acme' },
  'GET /api/logs/stats of globex': { path: '/api/logs/stats?organizationId=globex' },
  'GET /api/logs/live of acme': { path: '/api/logs/live?organizationId=acme' },
  'GET /api/logs/live of globex': { path: '/api/logs/live?organizationId=globex' },

  'GET /api/letters/{id}': { path: `/api/letters/${letter}` },
  'POST /api/letters/redrive': { path: '/api/letters/redrive', body: redrive },
  'POST /api/letters/discard': { path: '/api/letters/discard', body: discard },
  'GET /api/letters/redrives/{id}': { path: '/api/letters/redrives/none' },

  "GET /api/receipts/{receipt} of another's": { path: receipt },
  'GET /docs/{file}': { path: '/docs/start.js' },

  'POST / as an event of tutorials': {
    path: '/',
    body: json({ title: 'It turns' }),
    headers: event('tutorials.publish'),
  },
  'POST / as an event of logs, of acme': { path: '/', body: log('acme'), headers: event('logs.write') },
  'POST / as an event of letters': { path: '/', body: redrive, headers: event('letters.redrive') },
})
