/** The names of the parameters in a path, or of the placeholders in an address. */
export const namesIn = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)

/** The path without the names of its parameters and without a slash at the end: two paths with one form match the same requests. */
export const formOf = (path: string): string => path.replaceAll(/\{\w+\}/g, '{}').replace(/(?<=.)\/$/, '')

/** A literal segment, or parameters with literal text between them. */
const PATH = /^(?:\/(?:[\w.~!$&'()+,;=@%-]|\{\w+\}(?!\w|\{))*)+$/

/** The mistakes in the form of a path. */
export function pathMistakes(place: string, path: string): string[] {
  const names = namesIn(path)
  const repeated = names.find((name, at) => names.indexOf(name) !== at)
  return [
    ...(PATH.test(path)
      ? []
      : [
          `${place}: The path must begin with "/" and have its parameters as {name}. It cannot have ":", "*", "?", "#" and blanks, nor a letter, digit or parameter directly after a parameter.`,
        ]),
    ...(repeated === undefined
      ? []
      : [`${place}: {${repeated}} is twice in the path. Give each parameter its own name.`]),
  ]
}
