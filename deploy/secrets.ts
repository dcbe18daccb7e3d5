import { randomBytes } from 'node:crypto'
import { NAMESPACE, type TargetCluster } from './target-cluster.ts'

const MEMBERS = ['mongodb-0', 'mongodb-1', 'mongodb-2'].map((name) => `${name}.mongodb.millrace.svc:27017`)

/** The Secrets of overlays/kind that knative/README.md lists. */
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

/** Makes the missing Secrets with random values. They never leave the cluster, and no command has them as arguments. */
export async function ensureSecrets(target: TargetCluster): Promise<void> {
  for (const [name, make] of Object.entries(secrets)) {
    const found = await target.kubectl([
      'get',
      'secret',
      name,
      '--namespace',
      NAMESPACE,
      '--ignore-not-found',
      '--output=name',
    ])
    if (found.trim() !== '') {
      target.print(`  secret ${name} already exists`)
      continue
    }
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: NAMESPACE }, stringData: make() }
    await target.kubectl(['create', '--filename', '-'], { input: JSON.stringify(secret) })
    target.print(`  secret ${name} created`)
  }
}
