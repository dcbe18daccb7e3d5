/** A server-sent event. */
export interface Told {
  event: string
  data?: unknown
  id?: string
}

/** Reads a stream as a browser does. `last` is the id with which it reconnects. */
export function reader(body: unknown) {
  const chunks = (body as AsyncIterable<string>)[Symbol.asyncIterator]()
  const told: Told[] = []
  let last = ''
  let ended = false
  let text = ''
  async function read(): Promise<boolean> {
    const { value = '', done } = await chunks.next()
    ended = done === true
    text += value
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s, 2) as [string, string]))
      last = fields.get('id') ?? last
      const data = fields.get('data')
      const id = fields.get('id')
      if (data !== undefined)
        told.push({ event: fields.get('event') ?? 'message', data: JSON.parse(data), ...(id ? { id } : {}) })
    }
    return !ended
  }
  return {
    told,
    read,
    last: () => last,
    isEnded: () => ended,
    /** Reads until it has received this many events. */
    async until(count: number) {
      while (told.length < count && (await read()));
      return told
    },
    stop: () => chunks.return?.(),
  }
}
