import { createServer } from 'node:http'
import { loadPackageDefinition, Server, ServerCredentials, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { z } from 'zod'

/** The floor for gRPC: @grpc/grpc-js with the same message and the same validation. */
const schema = z.strictObject({ requestId: z.string().max(255), firstNumber: z.int(), secondNumber: z.int() })
const { SumService } = loadPackageDefinition(loadSync('domains/sums/sums.proto', { keepCase: true, defaults: true }))

const server = new Server()
server.addService((SumService as ServiceClientConstructor).service, {
  AddNumbers({ request }: { request: unknown }, answer: (error: Error | null, message?: object) => void) {
    const { data, error } = schema.safeParse(request)
    data ? answer(null, { result: data.firstNumber + data.secondNumber }) : answer(error ?? null)
  },
})
server.bindAsync(`127.0.0.1:${process.env.GRPC_PORT}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error
  createServer((_, res) => res.end('{}')).listen(Number(process.env.PORT), '127.0.0.1')
})
