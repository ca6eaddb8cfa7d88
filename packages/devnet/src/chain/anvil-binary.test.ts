import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { anvilBinary } from './anvil-binary.ts';

test('finds a program that can be run', () => {
  expect(statSync(anvilBinary()).mode & 0o111).not.toBe(0);
});

test('says which package is missing on a machine that npm brought none for', () => {
  expect(() => anvilBinary('linux', 'riscv64')).toThrow(
    expect.objectContaining({
      code: 'DEVNET_FAILED',
      retry: 'never',
      message: 'npm brought no local chain for linux-riscv64 (@foundry-rs/anvil-linux-riscv64).',
    }),
  );
});
