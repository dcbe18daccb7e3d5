import { findDomains } from '#main/find-domains.ts'
import { printHelpIfAsked } from '../deploy/help.ts'
import { surfaceFile } from '../package/surface.ts'
import { generatedFiles, writeFiles } from './files.ts'

/** `make docs`: brings the generated files up to date. */

printHelpIfAsked(`
make docs: writes what follows from the code: the tables in docs/api.md and docs/configuration.md, knative/sources, and
the report of the public surface in package/surface.md.
A test in test/rules fails while a file is not up to date.
`)

writeFiles([...generatedFiles(await findDomains()), surfaceFile()])
