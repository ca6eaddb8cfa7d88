import { describe, expect, it } from 'vitest';
import { findTestAdapter, runWithAdapter } from '../software-adapter.fixture.ts';

const found = await findTestAdapter();
const title = 'skip' in found ? `openDevice (skipped: ${found.skip})` : 'openDevice';
const environment = 'skip' in found ? {} : found.environment;

describe.skipIf('skip' in found)(title, () => {
  it('tells of a device that is lost, at once and ever after', { timeout: 60_000 }, async () => {
    const told = await runWithAdapter(new URL('./lose-device.fixture.ts', import.meta.url), environment);
    expect(told).toBe('DEVICE_LOST DEVICE_LOST');
  });
});
