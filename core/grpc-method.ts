import type { Fields } from '#domains/domain.ts'
import type { Request } from './request.ts'

/** A unary gRPC call. Its metadata are headers, as on the wire. */
export interface UnaryCall extends Pick<Request, 'headers' | 'trace' | 'arrived' | 'signal' | 'from'> {
  /** Every field is there, with its default. Throws a 400 for bytes that are no such message. */
  readonly message: Fields
}

/** A gRPC method and the function that serves it. */
export interface GrpcMethod {
  /** As in the path of a request: `SumService/AddNumbers`. */
  name: string
  serve(call: UnaryCall): Promise<Fields>
}
