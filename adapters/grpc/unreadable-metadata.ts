import { Metadata } from '@grpc/grpc-js'

/**
 * grpc-js drops metadata that is not printable ASCII and serves the call without it. This keeps the name with an empty value, so that an
 * unreadable key or version is refused instead of ignored.
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
