/** An image or an action of a workflow: its name, its version and, once pinned, its content. */
export interface Reference {
  kind: 'image' | 'action'
  name: string
  version: string
  /** The digest of an image, the commit of an action. */
  pin?: string
}

const IMAGE = /^(?<name>.+?):(?<version>[\w][\w.-]*)(@(?<pin>sha256:[0-9a-f]{64}))?$/
const COMMIT = /^[0-9a-f]{40}$/
const OURS = /(^|\/)millrace$/

/** `image:` in YAML, `FROM` in a Dockerfile, `uses:` in a workflow. A stage of a Dockerfile has no version. */
const LINES =
  /^(?<before>[ \t]*(?:- )?(?:image: |FROM |uses: ))(?<what>[^\s#]+)(?<after> # (?<comment>v[\d.]+) *$| .*$|$)/gm

export const referencesIn = (text: string): Reference[] =>
  [...text.matchAll(LINES)].flatMap(({ groups }) => parse(groups as unknown as Groups) ?? [])

/** Replaces each reference of the text by the result of `pinned`. */
export function withPins(text: string, pinned: (reference: Reference) => Reference): string {
  return text.replace(LINES, (line, ...rest) => {
    const groups = rest.at(-1) as Groups
    const reference = parse(groups)
    return reference ? `${groups.before}${format(pinned(reference), groups)}` : line
  })
}

interface Groups {
  before: string
  what: string
  after: string
  comment?: string
}

function parse({ before, what, comment }: Groups): Reference | undefined {
  if (before.includes('uses:')) return parseAction(what, comment)
  const { name = '', version = '', pin } = IMAGE.exec(what)?.groups ?? {}
  if (name === '' || OURS.test(name)) return undefined
  return { kind: 'image', name, version, ...(pin ? { pin } : {}) }
}

/** A local action and an action in a container have no pin. */
function parseAction(what: string, comment?: string): Reference | undefined {
  const [name = '', version = ''] = what.split('@')
  if (what.startsWith('.') || what.startsWith('docker:')) return undefined
  return COMMIT.test(version)
    ? { kind: 'action', name, version: comment ?? version, pin: version }
    : { kind: 'action', name, version }
}

function format({ kind, name, version, pin }: Reference, { after, comment }: Groups): string {
  if (kind === 'image') return `${name}:${version}${pin ? `@${pin}` : ''}${after}`
  return pin ? `${name}@${pin} # ${version}${comment ? '' : after}` : `${name}@${version}${after}`
}
