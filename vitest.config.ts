import { defineConfig } from 'vitest/config'

/** The parts of `make test`; `test/run.ts` picks those that can run on this machine. */
export default defineConfig({
  test: {
    projects: [
      {
        test: { name: 'unit', include: ['{adapters,domains,functions}/**/*.test.ts'], exclude: ['**/*.real.test.ts'] },
      },
      {
        test: {
          name: 'real',
          include: ['{adapters,functions}/**/*.real.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
