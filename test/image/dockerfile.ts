import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, matchesGlob } from 'node:path'

interface Instruction {
  word: string
  args: string[]
  text: string
}

/** The image of a folder with a Dockerfile, made without Docker. */
export interface Image {
  /** Does the instructions of a stage in a folder that stands for its root. A stage continues in the folder of the one before it. */
  build(stage: string): void
  /** Copies what a stage copies from those that were built to a folder where nothing can be written. */
  assemble(stage: string, folder: string): void
  /** The user of the last stage. */
  user: string
  /** The command of the last stage in a folder where it was assembled, as its user. */
  commandIn(folder: string): string[]
}

export const LAST = 'last'
const isRoot = process.getuid?.() === 0

/** The beginning of a command that runs as a user, `uid:gid`. Only root can run as another one. */
function asUser(user: string): string[] {
  const [uid, gid] = user.split(':')
  return isRoot && user !== '' ? ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'] : []
}

/** `root` has the folder `build` of the stages, which the caller may have put files in that Docker would find elsewhere. */
export function imageOf(context: string, root: string, env: NodeJS.ProcessEnv = process.env): Image {
  const stages = stagesOf(readFileSync(join(context, 'Dockerfile'), 'utf8'))
  const files = buildContext(context)
  let user = ''

  /** The instructions of a stage, after those of the stages that it is based on. */
  function instructionsOf(name: string): Instruction[] {
    const stage = stages.get(name)
    return stage ? [...instructionsOf(stage.base), ...stage.instructions] : []
  }
  /** The texts of an instruction in the last stage and those that it is based on. */
  const said = (word: string) =>
    instructionsOf(LAST)
      .filter((instruction) => instruction.word === word)
      .map(({ text }) => text)

  const pathsOf = (word: string) => said(word).flatMap((text) => JSON.parse(text) as string[])
  const [ownUser = ''] = said('USER')

  return {
    user: ownUser,
    commandIn: (folder) => [
      ...asUser(ownUser),
      ...[...pathsOf('ENTRYPOINT'), ...pathsOf('CMD')].map((path) => join(folder, path)),
    ],
    build(name) {
      const app = join(root, 'build', 'app')
      mkdirSync(app, { recursive: true })
      for (const { word, args, text } of stages.get(name)?.instructions ?? []) {
        if (word === 'USER') user = text
        if (word === 'COPY') files.copy(args.slice(0, -1), join(app, args.at(-1) ?? ''))
        // Docker gives a user without a name no other home.
        const home = user === '' ? {} : { HOME: '/' }
        const [program = '', ...rest] = [...asUser(user), 'bash', '-c', text]
        if (word === 'RUN') execFileSync(program, rest, { cwd: app, stdio: 'pipe', env: { ...env, ...home } })
      }
    },
    assemble(name, folder) {
      for (const { word, args } of instructionsOf(name)) {
        if (word !== 'COPY') continue
        const [, from = '', to = ''] = args
        mkdirSync(dirname(join(folder, to)), { recursive: true })
        cpSync(join(root, 'build', from), join(folder, to), { recursive: true })
      }
      execFileSync('chmod', ['-R', 'a-w', folder])
    },
  }
}

const stagesOf = (dockerfile: string) =>
  new Map(
    dockerfile
      .split(/^(?=FROM )/m)
      .slice(1)
      .map((text): [string, { base: string; instructions: Instruction[] }] => {
        const [, base = '', name = LAST] = /^FROM (\S+)(?: AS (\S+))?/.exec(text) ?? []
        const [, ...lines] = text.matchAll(/^([A-Z]+) (.*)$/gm)
        const instructions = lines.map(([, word = '', rest = '']) => ({ word, args: rest.split(' '), text: rest }))
        return [name, { base, instructions }]
      }),
  )

/** The files of a folder without those that its .dockerignore excludes. Copying an excluded one throws. */
function buildContext(context: string) {
  const rules = readFileSync(join(context, '.dockerignore'), 'utf8').split('\n').filter(Boolean)

  /** The last rule that matches a file or one of its folders decides. */
  function isLeftOut(path: string): boolean {
    const within = path.split('/').map((_, depth, parts) => parts.slice(0, depth + 1).join('/'))
    const rule = rules.findLast((rule) => within.some((each) => matchesGlob(each, rule.replace(/^!/, ''))))
    return rule !== undefined && !rule.startsWith('!')
  }

  return {
    copy(sources: string[], to: string): void {
      for (const source of sources) {
        if (isLeftOut(source)) throw new Error(`.dockerignore leaves ${source} out`)
        const from = join(context, source)
        const target = /[/.]$/.test(to) ? join(to, source) : to
        if (!existsSync(from)) throw new Error(`There is no ${from}`)
        cpSync(from, target, { recursive: true, filter: (path) => !isLeftOut(path.slice(context.length + 1)) })
      }
    },
  }
}
