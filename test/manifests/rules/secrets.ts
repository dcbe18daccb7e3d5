import { type Manifest, nameOf } from '../overlay.ts'
import { containersOf, podOf } from './pods.ts'

const SECRET_NAME = /(PASSWORD|SECRETS?|TOKEN|PRIVATE_KEY|CREDENTIALS?)$/i
const SECRET_VALUE = /:\/\/[^\s/:@$]+:[^\s/@$]+@|-----BEGIN [A-Z ]*PRIVATE KEY-----/

const isSecret = (name: string, value: string): boolean =>
  (SECRET_NAME.test(name) && value !== '') || SECRET_VALUE.test(value)

/** What anyone can read who reads the manifests. */
export function secretViolations(object: Manifest): string[] {
  const pod = podOf(object)
  const inEnv = (pod ? containersOf(pod) : []).flatMap(({ env = [] }) =>
    env.flatMap(({ name, value }) => (value !== undefined && isSecret(name, value) ? [name] : [])),
  )
  const inData = Object.entries(object.data ?? {}).flatMap(([name, value]) => (isSecret(name, value) ? [name] : []))
  const found = [...inEnv, ...inData].map((name) => `${name} is in clear`)
  if (object.kind === 'Secret') found.push('a Secret is not kept here')
  return found.map((what) => `${nameOf(object)}: ${what}`)
}
