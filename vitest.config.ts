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
          // Each file starts a network of some ten processes, and mostly waits for blocks and vouchers: two at a time fit on two cores.
          // They come after the unit tests, which use the cores fully.
          sequence: { groupOrder: 1 },
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
