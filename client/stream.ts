/** The lines of a stream. Throws if the stream ends within a line. A consumer that stops early closes the stream. */
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
    if (rest !== '') throw new Error('the stream ended within a line')
  } finally {
    await reader.cancel().catch(() => {})
  }
}

export interface ServerSentEvent {
  event: string
  data: string
  id: string | undefined
  /** The pause before a reconnect in milliseconds. */
  retry: number | undefined
}

/** The server-sent events of a stream, including comments and events without data. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent> {
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
