export const KINDS = ['decide', 'append'] as const
export type Kind = (typeof KINDS)[number]

/** A client awaits an object that has `then`, and every object has a `constructor`. */
const RESERVED = ['constructor', 'then']

/** The reason why no domain can have this name, or `undefined`. Other domains may have taken it all the same. */
export function nameMistake(name: string): string | undefined {
  if (name === '') return 'The name is missing. Write: make new-domain NAME=orders'
  if (!/^[a-z][a-z0-9]{0,29}$/.test(name)) {
    return (
      `The name "${name}" must be 1 to 30 lowercase letters and digits that begin with a letter. It names a topic, a collection, ` +
      'an object of Kubernetes, a route and a member of the client.'
    )
  }
  if (RESERVED.includes(name))
    return `The name "${name}" is reserved, since objects of JavaScript have a member of this name.`
}

export const isKind = (kind: string): kind is Kind => KINDS.includes(kind as Kind)
