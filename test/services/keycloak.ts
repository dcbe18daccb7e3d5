import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { keycloakHome } from './install.ts'
import { type Server, server } from './server.ts'

export const REALM = 'knative/components/keycloak/realm.json'
/** Of the master realm, which only tests have to themselves. */
export const ADMINISTRATOR = { name: 'admin', password: 'of a test' }

/** All of its own, so that nothing of the machine's is passed on to Java. */
const JAVA = [
  ...['-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:MaxMetaspaceSize=256m'],
  ...['java.util', 'java.util.concurrent', 'java.security'].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
]

/** What browsers know it by, and so its tokens say: as in compose and on kind it is reached elsewhere. */
const NAME = 'http://localhost:8180'
export const ISSUER = `${NAME}/realms/millrace`
export const issuerAt = (port: number): string => `http://127.0.0.1:${port}/realms/millrace`

/** A Keycloak that has the project's realm and forgets everything at its end. */
export async function keycloakServer(dir: string, port: number): Promise<Server> {
  const home = await keycloakHome()
  copyFileSync(REALM, join(home, 'data', 'import', 'realm.json'))
  const options = [
    '--import-realm',
    '--http-enabled=true',
    `--hostname=${NAME}`,
    '--hostname-backchannel-dynamic=true',
    '--cache=local',
  ]
  const settings = {
    JAVA_OPTS: JAVA.join(' '),
    KC_BOOTSTRAP_ADMIN_USERNAME: ADMINISTRATOR.name,
    KC_BOOTSTRAP_ADMIN_PASSWORD: ADMINISTRATOR.password,
  }
  return server({
    name: 'Keycloak',
    command: [
      'env',
      ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
      join(home, 'bin', 'kc.sh'),
      'start',
      '--optimized',
      ...options,
      '--http-host=127.0.0.1',
      `--http-port=${port}`,
    ],
    logFile: join(dir, 'keycloak.log'),
    async ready() {
      const answer = await fetch(`${issuerAt(port)}/.well-known/openid-configuration`)
      if (!answer.ok) throw new Error(`it answers ${answer.status}`)
    },
    onStart: () => undefined,
  })
}
