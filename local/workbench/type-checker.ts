import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '#core/telemetry.ts'
import { typeErrors } from './type-errors.ts'

export interface TypeCheckerOptions {
  /** The folder whose files are checked. */
  folder: string
  /** The folder of the tsconfig.json. */
  project: string
  /** A folder for the checker's own settings. */
  dir: string
  logger: Pick<Logger, 'info' | 'warn'>
}

export interface TypeChecker {
  /** Checks once more. A check under way ends without a result. */
  check(): void
  close(): void
}

/** Checks the types of a folder in a process of its own, which lives as long as one check, and logs the errors. */
export function typeChecker(options: TypeCheckerOptions): TypeChecker {
  const { project, logger } = options
  const compiler = compilerOf(project)
  if (compiler === undefined) {
    logger.warn({}, `types: not checked, since typescript is not installed in ${project}`)
    return { check: () => {}, close: () => {} }
  }
  const config = writeConfig(options)
  const report = reporter(logger)
  let running: ChildProcess | undefined

  function check(): void {
    running?.kill()
    const child = spawn(process.execPath, [String(compiler), '--project', config, '--pretty', 'false'], {
      cwd: project,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    running = child
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.on('error', (err) => logger.warn({ err }, 'types: not checked'))
    child.on('close', (_, signal) => {
      if (child === running && signal === null) report(typeErrors(output, project))
    })
  }

  check()
  return { check, close: () => running?.kill() }
}

/** Settings that check this folder only, in the way of the project. */
function writeConfig({ folder, project, dir }: Pick<TypeCheckerOptions, 'folder' | 'project' | 'dir'>): string {
  const file = resolve(dir, 'tsconfig.json')
  mkdirSync(dirname(file), { recursive: true })
  const typeRoots = [join(project, 'node_modules/@types')]
  const tsBuildInfoFile = resolve(dir, 'tsconfig.tsbuildinfo')
  const compilerOptions = { noEmit: true, incremental: true, tsBuildInfoFile, typeRoots }
  writeFileSync(file, JSON.stringify({ extends: join(project, 'tsconfig.json'), compilerOptions, include: [folder] }))
  return file
}

function compilerOf(project: string): string | undefined {
  try {
    return join(dirname(createRequire(join(project, 'package.json')).resolve('typescript/package.json')), 'bin/tsc')
  } catch {
    return undefined
  }
}

/** Logs errors that differ from those of the check before, and that there are none any more. */
function reporter(logger: TypeCheckerOptions['logger']): (errors: string[]) => void {
  let before: string[] | undefined
  return (errors) => {
    if (isDeepStrictEqual(errors, before)) return
    before = errors
    for (const error of errors) logger.warn({}, `types: ${error}`)
    if (errors.length === 0) logger.info({}, 'types: no errors')
  }
}
