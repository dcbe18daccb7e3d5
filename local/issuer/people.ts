export interface Person {
  name: string
  email: string
  /** The roles in the tokens. */
  roles: string[]
  organisation?: string
}

const mail = (name: string) => `${name}@mill.example`

/** The sample people of `make dev` by their log-in name, which is also their id. */
export const people: { [name: string]: Person } = {
  member: { name: 'Mary Miller', email: mail('member'), roles: ['member'] },
  member2: { name: 'Max Miller', email: mail('member2'), roles: ['member'] },
  moderator: { name: 'Mona Mason', email: mail('moderator'), roles: ['member'] },
  administrator: { name: 'Ada Archer', email: mail('administrator'), roles: ['member', 'administrator'] },
  writer: { name: 'Will Wright', email: mail('writer'), roles: ['member', 'writer'], organisation: 'acme' },
  reader: { name: 'Rita Reeve', email: mail('reader'), roles: ['member', 'reader'], organisation: 'acme' },
  collector: { name: 'Cole Carter', email: mail('collector'), roles: ['member', 'collector'] },
  stranger: { name: 'Stan Smith', email: mail('stranger'), roles: ['member', 'reader'], organisation: 'globex' },
}

export const personOf = (name: unknown): Person | undefined =>
  typeof name === 'string' && Object.hasOwn(people, name) ? people[name] : undefined
