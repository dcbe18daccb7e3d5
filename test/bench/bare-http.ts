import { createServer } from 'node:http'
import { answerTo } from './bare.ts'

/** The floor for HTTP: node:http with the same body and the same validation. */
createServer((req, res) => {
  const chunks: Buffer[] = []
  req.on('data', (chunk) => chunks.push(chunk))
  req.on('end', () => {
    const { status, body } = req.method === 'POST' ? answerTo(JSON.parse(Buffer.concat(chunks).toString())) : READY
    res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
  })
}).listen(Number(process.env.PORT), '127.0.0.1')

const READY = { status: 200, body: '{}' }
