import { telemetry } from './telemetry.ts'

/** Ends the process. The log has the error with its stack; the last line is the message alone, for whoever reads the end. */
export const endWith =
  (what: string) =>
  (error: unknown): never => {
    telemetry().logger.fatal({ err: error }, what)
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
