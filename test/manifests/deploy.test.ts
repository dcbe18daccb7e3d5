import { expect, test } from 'vitest'
import { secrets } from '../../deploy/secrets.ts'
import { components } from '../../deploy/steps.ts'
import { built, type Manifest, nameOf, overlay, parsed } from './overlay.ts'
import { containersOf, podOf } from './rules/pods.ts'

const objects = overlay('kind')
const componentOf = ({ metadata }: Manifest) => metadata.labels?.['app.kubernetes.io/component'] ?? ''
const flux = (part: string) => parsed(built(`knative/flux/parts/${part}`))
const names = (objects: Manifest[]) => objects.map(nameOf).sort()

test('make deploy applies every object of the overlay', () => {
  const applied = Object.values(components).flat()
  expect(new Set(applied)).toEqual(new Set(overlay('kind-network').map(componentOf)))
})

test('make deploy generates every required key of the Secrets in the overlay', () => {
  const pods = objects.map(podOf).filter((pod) => pod !== undefined)
  const inEnv = pods
    .flatMap(containersOf)
    .flatMap(({ env = [] }) => env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []))
    .filter(({ optional }) => !optional)
    .map(({ name, key }) => `${name} ${key}`)
  const inVolumes = pods
    .flatMap(({ volumes = [] }) => volumes.flatMap(({ secret }) => secret ?? []))
    .flatMap(({ secretName, items }) => items.map(({ key }) => `${secretName} ${key}`))
  const made = Object.entries(secrets).flatMap(([name, make]) => Object.keys(make()).map((key) => `${name} ${key}`))
  expect(new Set(made)).toEqual(new Set([...inEnv, ...inVolumes]))
})

test.each([
  ['data', components.data],
  ['prepare', [...components.settings, ...components.network, ...components.prepare]],
  ['persist', [...components.settings, ...components.persist, ...components.sources]],
  ['publish', [...components.settings, ...components.entryPoints]],
])('Flux applies with %s what make deploy does', (part, own) => {
  const wanted = objects.filter((object) => object.kind !== 'Namespace' && own.includes(componentOf(object)))
  expect(names(flux(part))).toEqual(names(wanted))
})

test('Flux has its parts one behind the other, and looks at each every minute', () => {
  const kustomizations = parsed(built('knative/flux')).filter(({ kind }) => kind === 'Kustomization')
  const order = Object.fromEntries(
    kustomizations.map(({ metadata, spec }) => [
      metadata.name,
      (spec.dependsOn ?? []).map(({ name }: { name: string }) => name),
    ]),
  )
  expect(order).toEqual({
    'millrace-data': [],
    'millrace-prepare': ['millrace-data'],
    'millrace-persist': ['millrace-prepare'],
    'millrace-publish': ['millrace-persist'],
  })
  for (const { metadata, spec } of kustomizations) {
    expect(spec).toMatchObject({
      interval: '1m',
      prune: true,
      wait: true,
      path: `./knative/flux/parts/${metadata.name.slice(9)}`,
    })
  }
})

test('no part of Flux changes settings that an older revision may go back to', () => {
  for (const part of ['prepare', 'persist', 'publish']) {
    const settings = flux(part).find((object) => componentOf(object) === 'settings')
    expect(settings?.metadata.annotations).toEqual({
      'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent',
      'kustomize.toolkit.fluxcd.io/prune': 'disabled',
    })
  }
})
