import { run } from '../child-process.ts'

/** The commit of a tag, and the most exact version that names the same commit. */
export interface Tagged {
  commit: string
  version: string
}

const EXACT = /^v\d+\.\d+\.\d+$/

/** The current commit of an action's tag. `v5` becomes `v5.0.1` if both name the same commit. */
export async function tagged(action: string, tag: string, server = 'https://github.com'): Promise<Tagged> {
  const repository = `${server}/${action.split('/').slice(0, 2).join('/')}`
  const commits = commitsOf(await run('git', ['ls-remote', '--tags', repository]))
  const commit = commits.get(tag)
  if (!commit) throw new Error(`${repository} has no tag ${tag}`)
  const exact = [...commits].find(([name, other]) => other === commit && EXACT.test(name))
  return { commit, version: exact?.[0] ?? tag }
}

/** The commits by tag. An annotated tag is its own object; the line that ends in ^{} has its commit. */
function commitsOf(printed: string): Map<string, string> {
  const lines = [...printed.matchAll(/^([0-9a-f]{40})\trefs\/tags\/(\S+?)(\^\{\})?$/gm)]
  const direct = lines.filter(([, , , peeled]) => !peeled)
  const peeled = lines.filter(([, , , peeled]) => peeled)
  return new Map([...direct, ...peeled].map(([, commit = '', tag = '']) => [tag, commit]))
}
