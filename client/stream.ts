/** The lines of a stream, as they become whole. Throws where it breaks off within one. Who stops early closes it. */
export async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  const reader = body.getReader()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      const parts = (rest + decoder.decode(value, { stream: true })).split('\n')
      rest = parts.pop() ?? ''
      yield* parts
    }
    if (rest !== '') throw new Error('the stream broke off within a line')
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** A server-sent event. */
export interface Told {
  event: string
  data: string
  id: string | undefined
  /** How long to wait before coming again. */
  retry: number | undefined
}

/** What server-sent events say, comments and those without data too. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Told> {
  let fields = new Map<string, string>()
  for await (const line of linesOf(body)) {
    if (line === '') {
      const { event = 'message', data = '', id, retry } = Object.fromEntries(fields) as { [name: string]: string }
      yield { event, data, id, retry: retry === undefined ? undefined : Number(retry) }
      fields = new Map()
    } else {
      const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? []
      fields.set(name, value)
    }
  }
}
