import { defineConfig } from 'vitest/config';

/** Minutes: every crash point, every planted error, a hundred thousand events that nobody meant to send. */
const deep = ['test/sim/crashes.test.ts', 'test/sim/mutations.test.ts', 'test/fuzz/handlers.test.ts'];

/**
 * Three lanes: `unit` runs anywhere; `e2e` starts real Docker, dynoxide and the AWS CLI; `deep` runs
 * what takes minutes, beside the others in CI.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{layers,functions,agent,local,test,scripts}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.e2e.test.ts', '**/*.host.test.ts', ...deep],
          pool: 'threads',
          testTimeout: 30_000,
        },
      },
      { test: { name: 'deep', include: deep, pool: 'threads', testTimeout: 600_000 } },
      {
        test: {
          name: 'e2e',
          include: ['{local,agent,test}/**/*.e2e.test.ts'],
          pool: 'forks',
          // They mostly wait, each on parts of its own; more at once would wait for each other.
          maxWorkers: 3,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
