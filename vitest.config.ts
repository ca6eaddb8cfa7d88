import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // A test that passes at the second attempt has failed.
    retry: 0,
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{packages,apps}/*/src/**/*.test.ts', '{examples,tools,bench}/**/*.test.ts'],
          // Only so that a hung test ends; nothing is judged by how long it takes.
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['e2e/**/*.e2e.ts'],
          exclude: ['e2e/nat/**'],
          // Each file starts a network of some ten processes, and mostly waits for blocks and vouchers: two at a time fit on two cores.
          // They come after the unit tests, which use the cores fully.
          sequence: { groupOrder: 1 },
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'nat',
          include: ['e2e/nat/*.e2e.ts'],
          // Homes made of namespaces, whose packets and timers want the cores for themselves: with something else beside them one of
          // some twenty was built and let nothing through.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
