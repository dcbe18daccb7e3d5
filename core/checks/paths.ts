import { namesIn } from '../request.ts'

/** The path without the names of its parameters and without a slash at the end: two paths with one form match the same requests. */
export const formOf = (path: string): string => path.replaceAll(/\{\w+\}/g, '{}').replace(/(?<=.)\/$/, '')

/** Segments of literal text and parameters. The router takes all up to "/", "-" or "." for the name of a parameter. */
const PATH = /^(?:\/(?:[^/{}:*?#()\s]|\{\w+\}(?=[/.-]|$))*)+$/

/** The mistakes in the form of a path. */
export function pathMistakes(place: string, path: string): string[] {
  const names = namesIn(path)
  const repeated = names.find((name, at) => names.indexOf(name) !== at)
  return [
    ...(PATH.test(path)
      ? []
      : [
          `${place}: The path must begin with "/" and have its parameters as {name}. It cannot have ":", "*", "?", "#", parentheses and blanks, and only "/", "-" and "." follow a parameter.`,
        ]),
    ...(repeated === undefined
      ? []
      : [`${place}: {${repeated}} is twice in the path. Give each parameter its own name.`]),
  ]
}
