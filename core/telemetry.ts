/** Writes the log lines of a process. `command` is a command id, `trace` a trace id, `err` an error with its stack. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  fatal(fields: object, message: string): void
}

/** The reason why a request failed. */
export type FailureCause = 'bug' | 'log' | 'store' | 'issuer' | 'deliberate'

export type Lag = { topic: string; lag: Map<number, number> }[]

/** The metrics of a process. */
export interface Metrics {
  /** `route` is the pattern that matched and not the path, because a label must have few values. */
  requestDone(name: string, method: string, route: string, status: number | string, ms: number): void
  batchSize(name: string, topic: string, size: number): void
  /** `isFirst` is true when the first delivery applied the command. */
  queueLatency(domain: string, ms: number, isFirst: boolean): void
  failed(cause: FailureCause): void
  letterKept(): void
  repeated(): void
  /** Registers `read`, which each scrape calls. */
  measureLag(read: () => Promise<Lag>): void
  /** The text of a scrape. */
  scrape(): Promise<{ contentType: string; text: string }>
}

export interface Telemetry {
  logger: Logger
  metrics: Metrics
}
