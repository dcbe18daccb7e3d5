import type { CommandType, Domain } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { clashes } from './clashes.ts'
import { commandMistakes } from './commands.ts'
import { declaredMistakes } from './declared.ts'
import { misshapen } from './forms.ts'
import { hint } from './hints.ts'
import { nameMistakes } from './names.ts'
import { asMembers, checkOutline, commandForms } from './outline.ts'
import { queryMistakes } from './queries.ts'
import { QUERIES } from './query-shapes.ts'

/** The default exports of domains, by their folders. */
export type FoundDomains = { [folder: string]: unknown }

/**
 * The mistakes in domains that a start can see: a sentence for each, with the domain, the place and what to write instead. A part whose
 * form is wrong is not checked further. Queries choose their indexes for sample parameters; no other function of a domain is called.
 */
export function mistakesIn(found: FoundDomains): string[] {
  const checked = Object.entries(found).map(([folder, exported]) =>
    checkDomain(`domains/${folder}/domain.ts`, exported),
  )
  return [...checked.flatMap(({ mistakes }) => mistakes), ...clashes(checked.flatMap(({ domain }) => domain ?? []))]
}

interface Checked {
  mistakes: string[]
  /** The domain without the commands and queries whose form is wrong. Absent if the form of the rest is wrong. */
  domain?: Domain
}

function checkDomain(file: string, exported: unknown): Checked {
  if (exported === undefined) return { mistakes: [`${file}: The default export is missing. It must be the domain.`] }
  const { name } = asMembers(exported)
  const place = typeof name === 'string' && name !== '' ? `domain ${name}` : file
  const outline = checkOutline(place, asMembers(exported))
  if (!outline.isReadable) return { mistakes: outline.mistakes }
  const whole = exported as Domain
  const commands = Object.entries(whole.commands).map(([type, command]) =>
    checkCommand(place, type, command, whole.kind),
  )
  const domain = {
    ...whole,
    commands: Object.fromEntries(commands.flatMap(({ sound }) => (sound ? [sound] : []))),
  }
  const queries = whole.queries.map((query, at) => checkQuery(place, domain, query, at))
  const mistakes = [
    ...outline.mistakes,
    ...nameMistakes(place, whole),
    ...declaredMistakes(place, whole),
    ...commands.flatMap(({ mistakes }) => mistakes),
    ...queries.flatMap(({ mistakes }) => mistakes),
  ]
  return { mistakes, domain: { ...domain, queries: queries.flatMap(({ sound }) => sound ?? []) } }
}

function checkCommand(domain: string, type: string, command: CommandType, kind: Domain['kind']) {
  const place = `${domain}, command ${type}`
  const mistakes = commandForms(place, command)
  if (mistakes.length > 0) return { mistakes }
  return { mistakes: commandMistakes(place, type, command, kind), sound: [type, command] as const }
}

function checkQuery(place: string, domain: Domain, query: Query, at: number): { mistakes: string[]; sound?: Query } {
  const { path, answers } = asMembers(query)
  const own = `${place}, query ${typeof path === 'string' && path !== '' ? `GET ${path}` : at + 1}`
  const kind = String(answers)
  const shape = Object.hasOwn(QUERIES, kind) ? QUERIES[kind] : undefined
  if (!shape)
    return { mistakes: [`${own}: answers "${kind}" is not a kind of query.${hint(kind, Object.keys(QUERIES))}`] }
  const mistakes = misshapen(own, query, shape)
  return mistakes.length > 0 ? { mistakes } : { mistakes: queryMistakes(own, domain, query), sound: query }
}
