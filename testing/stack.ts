import { hasStack, isAuthorLine, traceOf } from '#core/failure.ts'

/** The frames of the line that calls a function of this kit. */
export function framesAbove(called: (...args: never[]) => unknown): string {
  const caller = { stack: '' }
  Error.captureStackTrace(caller, called)
  return caller.stack.split('\n').slice(1).join('\n')
}

/** Gives an error of a run the frames of its author only: those of the domain's code, and then those of the test. */
export function pointTo(thrown: unknown, caller: string): void {
  if (!hasStack(thrown)) return
  const lines = [...traceOf(thrown)]
  const kit = lines.findIndex(isOfKit)
  const own = lines.slice(0, kit < 0 ? undefined : kit).filter((line) => isAuthorLine(line))
  const head = thrown.stack.slice(0, thrown.stack.length - lines.join('\n').length) || String(thrown)
  // The stack of a frozen error stays as it is.
  Reflect.set(thrown, 'stack', [head, ...own, caller].join('\n'))
}

/** The files of this kit are beside this one. So are its tests, in the repository. */
function isOfKit(line: string): boolean {
  const [, file = ''] = line.split(`${import.meta.dirname}/`)
  return /^[\w-]+\.[jt]s:/.test(file)
}
