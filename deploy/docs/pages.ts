import { readFileSync } from 'node:fs'
import { findDomains } from '#main/find-domains.ts'
import { routesTable } from './routes.ts'
import { settingsTable } from './settings.ts'

/** A page of documentation, with its path and its text as the code says it must be. */
export interface Page {
  path: string
  text: string
}

/** Every page that has generated tables, with the tables brought up to date and the rest of the page as it is. */
export async function generatedPages(): Promise<Page[]> {
  return [
    replaceTable('docs/api.md', 'routes', routesTable(await findDomains())),
    replaceTable('docs/configuration.md', 'settings', settingsTable()),
  ]
}

function replaceTable(path: string, name: string, table: string): Page {
  const begin = `<!-- generated: ${name} -->`
  const [before, rest, ...others] = readFileSync(path, 'utf8').split(begin)
  const [, after] = rest?.split('<!-- end -->') ?? []
  if (after === undefined || others.length > 0) throw new Error(`${path} must have one ${begin} with one <!-- end -->`)
  return { path, text: `${before}${begin}\n\n${table}\n<!-- end -->${after}` }
}
