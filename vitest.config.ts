import './main/node-version.mjs'

import { defineConfig, type TestProjectConfiguration } from 'vitest/config'

const MINUTE = 60_000
/** Real servers answer in seconds, and one test at a time gives them a machine of two cores. */
const slow = { testTimeout: 2 * MINUTE, hookTimeout: 2 * MINUTE, fileParallelism: false }
const endToEnd = (pair: 'embedded' | 'real'): TestProjectConfiguration => ({
  test: {
    name: `e2e-${pair}`,
    include: ['test/{auth,e2e}/**/*.test.ts'],
    provide: { pair, servings: ['host', 'framework'], issuer: { env: { OIDC_ISSUER: '' } } },
    ...slow,
  },
})

/** The parts of `make test`; test/run.ts picks those that can run on this machine. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'rules', include: ['test/rules/**/*.test.ts'], testTimeout: MINUTE } },
      { test: { name: 'manifests', include: ['test/manifests/**/*.test.ts'], testTimeout: MINUTE } },
      {
        test: {
          name: 'unit',
          include: [
            '{adapters,core,deploy,domains,examples,functions,generate,local,main,package,testing}/**/*.test.ts',
            'test/{client,deploy,describe,services}/**/*.test.ts',
            'test/*.test.ts',
          ],
          exclude: ['**/*.real.test.ts'],
          env: { LOG_LEVEL: 'silent' },
          // A test that takes ten thousand lines needs a second, and a busy machine ten times as long.
          testTimeout: MINUTE / 2,
        },
      },
      { test: { name: 'real', include: ['{adapters,functions,main}/**/*.real.test.ts'], ...slow } },
      {
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          env: { LOG_LEVEL: 'silent' },
          testTimeout: 10 * MINUTE,
        },
      },
      endToEnd('embedded'),
      endToEnd('real'),
      {
        test: {
          name: 'e2e-bundles',
          include: ['test/e2e/{tutorials,sums,grpc,letters,docs}.test.ts', 'test/image/**/*.test.ts'],
          provide: { pair: 'real', servings: ['bundles'] },
          globalSetup: 'test/bundle-setup.ts',
          ...slow,
        },
      },
      { test: { name: 'compose', include: ['test/compose/**/*.test.ts'], ...slow } },
      {
        test: {
          name: 'keycloak',
          include: ['test/keycloak/**/*.test.ts', 'test/auth/matrix.test.ts'],
          provide: { pair: 'embedded' },
          globalSetup: 'test/keycloak/setup.ts',
          ...slow,
        },
      },
      { test: { name: 'packages', include: ['test/packages/**/*.test.ts'], ...slow, hookTimeout: 4 * MINUTE } },
      { test: { name: 'upgrade', include: ['test/upgrade/**/*.test.ts'], ...slow } },
      { test: { name: 'faults', include: ['test/faults/**/*.test.ts'], exclude: ['**/*.real.test.ts'], ...slow } },
      { test: { name: 'faults-real', include: ['test/faults/**/*.real.test.ts'], ...slow } },
    ],
  },
})
