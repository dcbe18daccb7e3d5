/** The logger of a process: one line for each entry. `command` is a command id, `trace` a trace id, `err` an error with its stack. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  fatal(fields: object, message: string): void
}

/** The cause of a failed request. */
export type FailureCause = 'bug' | 'log' | 'store' | 'issuer' | 'deliberate'

export type Lag = { topic: string; lag: Map<number, number> }[]

/** The labels of a request's metrics. */
export interface RequestLabels {
  function: string
  method: string
  /** The pattern that matched, never the path, since a label must have few values. */
  route: string
  /** The status of HTTP, or the name of the gRPC code. */
  status: number | string
}

/** The metrics of a process. */
export interface Metrics {
  requestDone(labels: RequestLabels, ms: number): void
  batchSize(name: string, topic: string, size: number): void
  /** `isFirst` is true if the first delivery applied the command. */
  queueLatency(domain: string, ms: number, isFirst: boolean): void
  failed(cause: FailureCause): void
  letterKept(): void
  repeated(): void
  /** Calls `read` at each scrape. */
  measureLag(read: () => Promise<Lag>): void
  /** The text that Prometheus reads. */
  scrape(): Promise<{ contentType: string; text: string }>
}

export interface Telemetry {
  logger: Logger
  metrics: Metrics
}
