import type { CommandType, Route } from '#domains/domain.ts'
import { MALFORMED, PLAIN } from '../delivery.ts'
import { namesIn } from '../request.ts'
import { hint } from './hints.ts'
import { pathMistakes } from './paths.ts'
import { membersOf } from './schema-members.ts'

/** The types that mark deliveries which are no commands. */
const RESERVED_TYPES = [MALFORMED, PLAIN]

/** The mistakes in a command, without those of its form. */
export function commandMistakes(place: string, type: string, command: CommandType): string[] {
  const { id, scope, routes, calls = [] } = command
  return [
    ...(/^[!-~]{1,256}$/.test(type) && !RESERVED_TYPES.includes(type)
      ? []
      : [
          `${place}: The type must be 1 to 256 printable ASCII characters without blanks, and no type of Millrace itself.`,
        ]),
    ...(id && scope === undefined
      ? [`${place}: The sender chooses the id of this command, so it must have a scope.`]
      : []),
    ...routes.flatMap((route) => routeMistakes(`${place}, ${route.method} ${route.path}`, route, command)),
    ...calls
      .filter(({ method }) => !/^[\w.]+\/\w+$/.test(method))
      .map(
        ({ method }) =>
          `${place}, method ${method}: Write the service, "/" and the method, such as "NoteService/Write".`,
      ),
  ]
}

function routeMistakes(place: string, route: Route, { data }: CommandType): string[] {
  const { path, created, maxBytes } = route
  const accepted = membersOf(data, 'in')
  const returned = membersOf(data, 'out')
  return [
    ...pathMistakes(place, path),
    ...(accepted ? namesIn(path).filter((name) => !accepted.has(name)) : []).map(
      (name) => `${place}: {${name}} is not a member of the command's data.${hint(name, accepted ?? [])}`,
    ),
    ...(returned ? namesIn(created ?? '').filter((name) => name !== 'id' && !returned.has(name)) : []).map(
      (name) =>
        `${place}: created has {${name}}, which is not a member of the command's data.${hint(name, ['id', ...(returned ?? [])])}`,
    ),
    ...(maxBytes !== undefined && path.includes('{')
      ? [`${place}: maxBytes has no effect on a path with parameters. Move the parameters to the body.`]
      : []),
  ]
}
