import type { Fields } from '#domains/domain.ts'
import type { Request } from './request.ts'

/** A unary gRPC call. Its headers are the metadata. */
export interface UnaryCall extends Pick<Request, 'headers' | 'trace' | 'arrived' | 'signal' | 'from' | 'servedBy'> {
  /** The message with every field or its default. Throws 400 for bytes that are not a valid message. */
  readonly message: Fields
}

/** A gRPC method and the function that serves it. */
export interface GrpcMethod {
  /** The name in the path of a request, such as `SumService/AddNumbers`. */
  name: string
  serve(call: UnaryCall): Promise<Fields>
}
