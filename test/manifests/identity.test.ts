import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Manifest, nameOf, ofKind, overlay } from './overlay.ts'
import { containersOf, podOf } from './rules/pods.ts'
import { environment, programs } from './truth.ts'

const objects = overlay('kind')
const one = (name: string): Manifest => objects.find((object) => nameOf(object) === name) as Manifest
const { realm } = JSON.parse(readFileSync('knative/components/keycloak/realm.json', 'utf8'))

test('on kind tokens say the name by which a browser finds the issuer, and the functions reach it in the cluster', () => {
  const [keycloak] = containersOf(podOf(one('Deployment keycloak')) as never).slice(-1)
  const name = keycloak?.env?.find(({ name }) => name === 'KC_HOSTNAME')?.value ?? ''
  const [outside] = one('Service log-in').spec.ports
  expect(new URL(name).port).toBe(String(outside.nodePort))
  expect(readFileSync('kind-config.yaml', 'utf8')).toContain(
    `containerPort: ${outside.nodePort}, hostPort: ${outside.nodePort}`,
  )
  const [inside] = one('Service keycloak').spec.ports
  for (const program of programs(objects)) {
    const { OIDC_ISSUER, OIDC_URL } = environment(program, objects)
    expect(OIDC_ISSUER).toBe(`${name}/realms/${realm}`)
    expect(OIDC_URL).toBe(`http://keycloak.millrace.svc:${inside.port}/realms/${realm}`)
  }
})

test('the realm that it imports is the one that tests take tokens of', () => {
  const [map] = ofKind(objects, 'ConfigMap').filter(({ metadata }) => metadata.name.startsWith('keycloak-realm'))
  expect(JSON.parse(map?.data?.['realm.json'] ?? '').realm).toBe(realm)
})

test('its people are for trying: no production overlay brings them', () => {
  const names = overlay('production').map(nameOf)
  expect(names.filter((name) => /keycloak/.test(name))).toEqual([])
})
