import { createServer } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** The floor for reads: node:http and node:sqlite, with the same file, the same indexes and the same answers, and nothing else. */
const database = new DatabaseSync(join(process.env.MILLRACE_DIR ?? '', 'millrace.db'))
const one = database.prepare('SELECT body FROM doc_tutorials WHERE id = ?')
const page = database.prepare(
  `SELECT body FROM doc_tutorials ORDER BY json_extract(body, '$.time') DESC, id DESC LIMIT 51`,
)

interface Row {
  body: string
}

function shape({ body }: Row) {
  const { _id: id, title, time } = JSON.parse(body)
  return { id, title, time }
}

function read(url: string): unknown {
  if (url === '/') return {}
  const id = /^\/api\/tutorials\/(\w+)$/.exec(url)?.[1]
  if (id) return shape(one.get(id) as unknown as Row)
  const rows = page.all() as unknown as Row[]
  return { items: rows.slice(0, 50).map(shape), next: rows.length > 50 ? 'more' : null }
}

createServer(({ url = '/' }, res) => {
  const body = JSON.stringify(read(url))
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
}).listen(Number(process.env.PORT), '127.0.0.1')
