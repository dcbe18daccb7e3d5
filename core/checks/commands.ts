import type { CommandType, Domain, Route } from '#domains/domain.ts'
import { MALFORMED, PLAIN } from '../delivery.ts'
import { namesIn } from '../request.ts'
import { hint } from './hints.ts'
import { pathMistakes } from './paths.ts'
import { membersOf } from './schema-members.ts'

/** The types that mark deliveries which are no commands. */
const RESERVED_TYPES = [MALFORMED, PLAIN]

/** The mistakes in a command of a domain of this kind, without those of its form. */
export function commandMistakes(place: string, type: string, command: CommandType, kind: Domain['kind']): string[] {
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
    ...routes.flatMap((route) => {
      const own = `${place}, ${route.method} ${route.path}`
      return [...routeMistakes(own, route, command), ...createdMistakes(own, route, command, kind)]
    }),
    ...calls
      .filter(({ method }) => !/^[\w.]+\/\w+$/.test(method))
      .map(
        ({ method }) =>
          `${place}, method ${method}: Write the service, "/" and the method, such as "NoteService/Write".`,
      ),
  ]
}

function routeMistakes(place: string, route: Route, { data }: CommandType): string[] {
  const { path, maxBytes } = route
  const accepted = membersOf(data, 'in')
  return [
    ...pathMistakes(place, path),
    ...(accepted ? namesIn(path).filter((name) => !accepted.has(name)) : []).map(
      (name) => `${place}: {${name}} is not a member of the command's data.${hint(name, accepted ?? [])}`,
    ),
    ...(maxBytes !== undefined && path.includes('{')
      ? [`${place}: maxBytes has no effect on a path with parameters. Move the parameters to the body.`]
      : []),
  ]
}

/**
 * The names in `created` that are no member of the data, and an `{id}` that reads as the data's member but is the command's id. In an
 * append domain the command's id is that of its document, and with `id` the command chooses it.
 */
function createdMistakes(place: string, route: Route, { data, id }: CommandType, kind: Domain['kind']): string[] {
  const names = namesIn(route.created ?? '')
  const members = membersOf(data, 'out')
  const hasOwnId = members?.has('id') || namesIn(route.path).includes('id')
  return [
    ...(members ? names.filter((name) => name !== 'id' && !members.has(name)) : []).map(
      (name) =>
        `${place}: created has {${name}}, which is not a member of the command's data.${hint(name, ['id', ...(members ?? [])])}`,
    ),
    ...(names.includes('id') && hasOwnId && kind === 'decide' && !id
      ? [
          `${place}: {id} in created is the command's id, and not the member "id" of its data. Give the member another name, and write that name in created.`,
        ]
      : []),
  ]
}
