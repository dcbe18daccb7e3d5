import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * The folder of the domains, one folder in it for each. It is that of the project that this process runs, which is the folder in which a
 * program is started: this repository, or a folder that has Millrace as a package.
 */
export const DOMAINS_FOLDER = pathToFileURL(join(process.cwd(), 'domains/'))
