import { createServer } from 'node:http2'
import * as restate from '@restatedev/restate-sdk'

/** The domains sums and tutorials as virtual objects. They do not validate the bodies. */
const sums = restate.object({
  name: 'sums',
  handlers: {
    async add(ctx, { firstNumber, secondNumber }) {
      const result = firstNumber + secondNumber
      ctx.set('sum', { firstNumber, secondNumber, result })
      return { result }
    },
  },
})

const tutorials = restate.object({
  name: 'tutorials',
  handlers: {
    async publish(ctx, { title }) {
      ctx.set('tutorial', { title })
      return { id: ctx.key }
    },
  },
})

const handler = restate.createEndpointHandler({ services: [sums, tutorials] })
createServer(handler).listen(Number(process.env.PORT), '127.0.0.1')
