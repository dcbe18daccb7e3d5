import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '#core/telemetry.ts'

export interface TypeCheckerOptions {
  /** The folder whose files are checked. */
  folder: string
  /** The folder of the tsconfig.json. */
  project: string
  /** A folder for the checker's own settings. */
  dir: string
  logger: Pick<Logger, 'info' | 'warn'>
}

/** Ends the command when its standard input ends, so also when this process is killed. */
const WHILE_PARENT_LIVES = '"$@" & child=$!; cat > /dev/null; kill $child 2> /dev/null'

const ERROR = /^(.+?)\((\d+),(\d+)\): error TS\d+: (.*)$/
const END = /Found (\d+) errors?\./

/** Checks the types of a folder in a process of its own, at each change of a file, and logs the errors. */
export function startTypeChecker(options: TypeCheckerOptions): { close(): void } {
  const { project, logger } = options
  const compiler = compilerOf(project)
  if (compiler === undefined) {
    logger.warn({}, `types: not checked, since typescript is not installed in ${project}`)
    return { close: () => {} }
  }
  const config = writeConfig(options)
  const flags = ['--project', config, '--watch', '--preserveWatchOutput', '--pretty', 'false']
  const child = spawn('sh', ['-c', WHILE_PARENT_LIVES, 'sh', process.execPath, compiler, ...flags], {
    cwd: project,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  child.on('error', (err) => logger.warn({ err }, 'types: not checked'))
  child.unref()
  createInterface({ input: child.stdout }).on('line', reporter(options))
  return { close: () => child.stdin.end() }
}

/** Settings that check this folder only, in the way of the project. */
function writeConfig({ folder, project, dir }: Pick<TypeCheckerOptions, 'folder' | 'project' | 'dir'>): string {
  const file = resolve(dir, 'tsconfig.json')
  mkdirSync(dirname(file), { recursive: true })
  const typeRoots = [join(project, 'node_modules/@types')]
  const compilerOptions = { noEmit: true, incremental: false, typeRoots }
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

/** Logs the errors of a round if they differ from those of the round before. A round without errors says so. */
function reporter({ project, logger }: TypeCheckerOptions): (line: string) => void {
  let errors: string[] = []
  let before: string[] | undefined

  function endRound(): void {
    if (!isDeepStrictEqual(errors, before)) {
      for (const error of errors) logger.warn({}, `types: ${error}`)
      if (errors.length === 0) logger.info({}, 'types: no errors')
    }
    before = errors
    errors = []
  }

  return (line) => {
    const [, file = '', row, column, message] = ERROR.exec(line) ?? []
    if (message !== undefined) {
      errors.push(`${relative(process.cwd(), resolve(project, file))}:${row}:${column} ${message}`)
    } else if (line.startsWith(' ') && errors.length > 0) errors.push(`${errors.pop()}\n${line}`)
    else if (END.test(line)) endRound()
  }
}
