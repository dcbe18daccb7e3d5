import { writeFileSync } from 'node:fs'
import { generatedPages } from './docs/pages.ts'
import { printHelpIfAsked } from './help.ts'

/** `npm run docs`: writes the tables of routes and settings. */

printHelpIfAsked(`
npm run docs: writes the tables of routes and settings into docs/api.md and docs/configuration.md, from the code.
A test in test/rules fails while a table is not up to date.
`)

for (const { path, text } of await generatedPages()) {
  writeFileSync(path, text)
  console.log(`wrote ${path}`)
}
