import { parseArgs } from 'node:util'
import { grpcClient } from './grpc.ts'

/** Calls a method as grpcurl does, for machines that do not have it. PROTO is the .proto file that declares the service. */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    plaintext: { type: 'boolean' },
    H: { type: 'string', short: 'H', multiple: true, default: [] },
    d: { type: 'string', short: 'd', default: '{}' },
  },
  // grpcurl has long options with one dash.
  args: process.argv.slice(2).map((argument) => (argument === '-plaintext' ? '--plaintext' : argument)),
})
const [address = '', path = ''] = positionals
const [service = '', method = ''] = path.split('/')
const metadata = Object.fromEntries(values.H.map((header) => header.split(/: */, 2)))

const client = grpcClient(address, process.env.PROTO ?? '', service)
const { message, error } = await client.call(method, JSON.parse(values.d), metadata)
client.close()
console.log(error ? `${error.code} ${error.details}` : JSON.stringify(message, null, 2))
