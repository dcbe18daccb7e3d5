import { http } from '@google-cloud/functions-framework'
import { answerTo } from './bare.ts'

/** The floor for functions-framework: the same on the bare framework, which parses the body itself. */
http('bare', (req, res) => {
  const { status, body } = req.method === 'POST' ? answerTo(req.body) : { status: 200, body: '{}' }
  res.status(status).type('application/json').send(body)
})
