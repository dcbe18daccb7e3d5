import { createRequire } from 'node:module'
import { MongoClient } from 'mongodb'

/** Reads as a service without Millrace has them: Fastify and mongodb with their defaults, on the same documents and indexes. */
const Fastify = createRequire(`${process.env.FASTIFY}/`)('fastify')

const client = new MongoClient(process.env.MONGODB_URI ?? '')
const tutorials = client.db(process.env.MONGODB_DATABASE).collection('tutorials')
const shape = ({ _id: id, title, time }) => ({ id, title, time })

const server = Fastify()
server.get('/', () => ({}))
server.get('/api/tutorials/:id', async ({ params }, reply) => {
  const found = await tutorials.findOne({ _id: params.id })
  return found ? shape(found) : reply.callNotFound()
})
server.get('/api/tutorials', async () => {
  const found = await tutorials.find().sort({ time: -1, _id: -1 }).limit(51).toArray()
  return { items: found.slice(0, 50).map(shape), next: found.length > 50 ? 'more' : null }
})
await server.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
