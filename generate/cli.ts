import { findDomains } from '#main/find-domains.ts'
import { printHelpIfAsked } from '../deploy/help.ts'
import { generatedFiles, writeFiles } from './files.ts'

/** `make docs`: brings the generated files up to date. */

printHelpIfAsked(`
make docs: writes what follows from the code: the tables in docs/api.md and docs/configuration.md, and knative/base/sources.
A test in test/rules fails while a file is not up to date.
`)

writeFiles(generatedFiles(await findDomains()))
