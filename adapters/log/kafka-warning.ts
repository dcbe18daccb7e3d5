/**
 * kafkajs 2.2.4 sets timers in the past in its request queue. Node runs them at once and prints a warning,
 * once in each process. Only that warning is suppressed.
 */
const emitWarning = process.emitWarning

process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
  if (rest[0] !== 'TimeoutNegativeWarning') Reflect.apply(emitWarning, process, [warning, ...rest])
}) as typeof process.emitWarning
