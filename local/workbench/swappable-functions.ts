import type { FunctionRequest, HttpFunction } from '#adapters/host/http.ts'
import type { EventMount, HttpMount } from '#adapters/host/request-handler.ts'
import type { GrpcMethod } from '#core/grpc-method.ts'
import { Problem } from '#core/problem.ts'

/** The three functions for a set of domains. */
export interface Functions {
  publish: HttpFunction
  maxBodyBytes: Exclude<HttpMount['maxBodyBytes'], undefined>
  methods: GrpcMethod[]
  persist: EventMount['serve']
  query: HttpFunction
  close(): Promise<void>
}

/** The functions of `make dev`, as the host and gRPC serve them. */
export interface SwappableFunctions {
  persist: EventMount
  query: HttpMount
  publish: HttpMount
  methods: GrpcMethod[]
  /**
   * New requests go to these functions. Those under way end where they began, except live streams of these paths, which end, so that
   * their clients reconnect.
   */
  swap(next: Functions, livePaths: ReadonlySet<string>): void
  close(): Promise<void>
}

export function swappableFunctions(first: Functions): SwappableFunctions {
  let current = first
  const reads = openReads()
  return {
    persist: { kind: 'cloudevent', name: 'persist', path: '/persist', serve: (event) => current.persist(event) },
    query: {
      kind: 'http',
      name: 'query',
      methods: ['GET', 'HEAD'],
      serve: (req, res) => reads.serve(current.query, req, res),
    },
    publish: {
      kind: 'http',
      name: 'publish',
      maxBodyBytes: (method, path) => current.maxBodyBytes(method, path),
      serve: (req, res) => current.publish(req, res),
    },
    methods: first.methods.map(({ name }) => ({
      name,
      async serve(call) {
        const method = current.methods.find((method) => method.name === name)
        if (!method) throw new Problem(404, 'Not found', `No domain has the method ${name} any more.`)
        return await method.serve(call)
      },
    })),
    swap(next, livePaths) {
      current = next
      reads.end(livePaths)
    },
    close: () => current.close(),
  }
}

/** The reads that have not ended. Each has a signal of its own that ends it, made when it is asked for: few reads need one. */
function openReads() {
  const open = new Map<FunctionRequest, () => void>()
  return {
    async serve(query: HttpFunction, ...[req, res]: Parameters<HttpFunction>): Promise<void> {
      const hostClosing = req.closing?.()
      let stop: AbortController | undefined
      let isEnded = false
      const end = () => {
        isEnded = true
        stop?.abort()
      }
      open.set(req, end)
      res.once('close', () => {
        open.delete(req)
        if (stop) hostClosing?.removeEventListener('abort', end)
      })
      req.closing = () => {
        if (stop) return stop.signal
        stop = new AbortController()
        if (isEnded || hostClosing?.aborted) end()
        else if (!res.destroyed) hostClosing?.addEventListener('abort', end)
        return stop.signal
      }
      await query(req, res)
    },
    end(paths: ReadonlySet<string>): void {
      for (const [req, end] of open) if (paths.has(req.matched ?? '')) end()
    },
  }
}
