import { randomBytes } from 'node:crypto'
import { NAMESPACE, type World } from './world.ts'

const MEMBERS = ['mongodb-0', 'mongodb-1', 'mongodb-2'].map((name) => `${name}.mongodb.millrace.svc:27017`)

/** What overlays/kind wants, by knative/README.md. */
export const secrets: Record<string, () => Record<string, string>> = {
  receipts: () => ({ secret: randomBytes(32).toString('base64url') }),
  mongodb: () => {
    const password = randomBytes(24).toString('base64url')
    return {
      password,
      uri: `mongodb://millrace:${password}@${MEMBERS.join(',')}/?replicaSet=rs0`,
      keyfile: randomBytes(756).toString('base64'),
    }
  },
}

/** Makes up the Secrets that are missing. They never leave the cluster, and no argument of a command shows them. */
export async function ensureSecrets(world: World): Promise<void> {
  for (const [name, make] of Object.entries(secrets)) {
    const found = await world.kubectl([
      'get',
      'secret',
      name,
      '--namespace',
      NAMESPACE,
      '--ignore-not-found',
      '--output=name',
    ])
    if (found.trim() !== '') {
      world.say(`  secret ${name} is there`)
      continue
    }
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: NAMESPACE }, stringData: make() }
    await world.kubectl(['create', '--filename', '-'], { input: JSON.stringify(secret) })
    world.say(`  secret ${name} made up`)
  }
}
