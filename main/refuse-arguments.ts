/** True for a variable of the environment, which only make takes as an argument. */
export const isVariable = (argument: string): boolean => /^[A-Z][A-Z0-9_]*=/.test(argument)

/** Ends the process with one line if there is any of these arguments, which the program does not take. */
export function refuseArguments(program: string, [argument]: string[]): void {
  if (argument === undefined) return
  console.error(
    isVariable(argument)
      ? `Write ${argument} before the command: ${argument} ${program}`
      : `${program} does not take the argument ${argument}.`,
  )
  process.exit(2)
}
