import { telemetry } from './telemetry.ts'

/**
 * Returns a handler that ends the process with an error. It logs the error with its stack; the last line of output is the
 * message alone, for readers of the end of the output. At a terminal the log line has it.
 */
export const exitOnError =
  (what: string) =>
  (error: unknown): never => {
    telemetry().logger.fatal({ err: error }, what)
    if (!process.stdout.isTTY) console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }

/** Replaces the error of a port that another process listens at by one that names the setting. */
export const orPortInUse =
  (setting: 'PORT' | 'GRPC_PORT', port: number) =>
  (error: unknown): never => {
    const { code, message = '' } = error as NodeJS.ErrnoException
    if (code !== 'EADDRINUSE' && !message.includes('EADDRINUSE')) throw error
    const sentence = `Another process listens at port ${port}. Stop it, or set ${setting} to another port.`
    throw new Error(sentence, { cause: error })
  }
