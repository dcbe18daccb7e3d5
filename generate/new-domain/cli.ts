import { printHelpIfAsked } from '../../deploy/help.ts'
import { generatedFiles } from '../files.ts'
import { isKind } from './name.ts'
import { addDomain, refuse } from './new-domain.ts'

/** `make new-domain` in this repository. In a project it is `millrace new domain`. */

printHelpIfAsked(`
make new-domain NAME=orders              adds a domain whose rules decide commands
make new-domain NAME=orders KIND=append  adds a domain whose commands each become one document
It writes domains/orders with an example and its test, and what make docs writes. Exit code 1: it wrote nothing.
`)

const { NAME: name = '', KIND } = process.env
const kind = KIND || 'decide'
if (!isKind(kind)) refuse(`KIND must be decide or append, not "${kind}".`)
await addDomain(name, kind, generatedFiles)
