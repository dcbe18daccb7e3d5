import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { freePort } from '../mill.ts'
import { ISSUER, issuerAt, keycloakServer } from '../services/keycloak.ts'

/** Starts a Keycloak with the project's realm. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(tmpdir(), 'keycloak-'))
  const port = await freePort()
  const keycloak = await keycloakServer(dir, port)
  await keycloak.start()
  const url = issuerAt(port)
  provide('issuer', { url, env: { OIDC_ISSUER: ISSUER, OIDC_URL: url } })
  return async () => {
    await keycloak.kill()
    rmSync(dir, { recursive: true })
  }
}
