import { Metadata } from '@grpc/grpc-js'

/**
 * grpc-js leaves out metadata that is not printable ASCII, and the call goes on as if it had come without. Its name is kept here,
 * without a value, so that a key or a version that can't be read is refused and not forgotten.
 */
const { fromHttp2Headers } = Metadata
Metadata.fromHttp2Headers = (headers) => {
  let readable = headers
  for (const name in headers) {
    if (name.endsWith('-bin') || isPrintable(headers[name])) continue
    if (readable === headers) readable = { ...headers }
    readable[name] = ''
  }
  return fromHttp2Headers.call(Metadata, readable)
}

const isPrintable = (value: string | string[] | undefined): boolean =>
  Array.isArray(value) ? value.every(isPrintable) : /^[ -~]*$/.test(value ?? '')
