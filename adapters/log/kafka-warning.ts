/**
 * kafkajs asks for a timer in the past when it means "at once" (its request queue, 2.2.4). Node does so and warns about it,
 * once in each process; only that warning is kept off the console.
 */
const emitWarning = process.emitWarning

process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
  if (rest[0] !== 'TimeoutNegativeWarning') Reflect.apply(emitWarning, process, [warning, ...rest])
}) as typeof process.emitWarning
