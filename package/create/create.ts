#!/usr/bin/env node
import { cpSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

/** `npm create millrace shop` makes the folder `shop` with a project. It writes nothing else, and installs nothing. */

/** npm leaves out files of these names when it packs, so the template has them under others. */
const HIDDEN = ['gitignore', 'dockerignore']
const HERE = import.meta.dirname
const USAGE = 'Write: npm create millrace shop'

const [path = '', ...more] = process.argv.slice(2)
const name = basename(path)
if (path === '' || more.length > 0) refuse(USAGE)
if (!/^[a-z][a-z0-9-]{0,59}$/.test(name))
  refuse(`The name "${name}" must be 1 to 60 lowercase letters, digits and "-" that begin with a letter. ${USAGE}`)
if (existsSync(path)) refuse(`${path} exists already. Choose another name.`)

const { project } = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8')) as { project: object }
cpSync(join(HERE, 'template'), path, { recursive: true })
for (const file of HIDDEN) renameSync(join(path, `_${file}`), join(path, `.${file}`))
const manifest = {
  name,
  version: '0.1.0',
  private: true,
  type: 'module',
  engines: { node: '>=24' },
  scripts: { dev: 'millrace dev', test: 'vitest run', check: 'millrace check; checked=$?; tsc && exit $checked' },
  ...project,
}
writeFileSync(join(path, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
console.log(`
${resolve(path)} has a project with one domain. Try it:

  cd ${path}
  npm install
  npm run dev
`)

function refuse(reason: string): never {
  console.error(reason)
  process.exit(1)
}
