import { telemetry } from './telemetry.ts'

/**
 * Returns a handler that ends the process with an error. It logs the error with its stack; the last line of output is the
 * message alone, for readers of the end of the output.
 */
export const exitOnError =
  (what: string) =>
  (error: unknown): never => {
    telemetry().logger.fatal({ err: error }, what)
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
