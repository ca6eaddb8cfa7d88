import { systemClock } from '@latent/kit';
import { describe, expect, test } from 'vitest';
import type { Driver } from './driver.ts';
import { createMockDriver } from './mock/mock-driver.ts';
import { createProcessDriver } from './process/process-driver.ts';
import { createSandboxDriver } from './sandbox/sandbox-driver.ts';
import { selectDriver } from './select-driver.ts';

const cgroups = async () => ({ usable: false, reason: 'the test says so' }) as const;
const processDriver = createProcessDriver({ clock: systemClock, cgroups });
const mock = createMockDriver({ clock: systemClock });
const sandbox: Driver = {
  ...createSandboxDriver({ clock: systemClock, cgroups }),
  fingerprint: async () => ({ available: true, isolation: 'namespaces', version: '0.8.0', notes: [] }),
};
const noSandbox: Driver = {
  ...sandbox,
  fingerprint: async () => ({
    available: false,
    reason: 'bubblewrap is not installed',
    remedy: 'apt install bubblewrap',
  }),
};
const options = { signal: AbortSignal.timeout(30_000) };

describe('selectDriver', () => {
  test('takes the sandbox by itself, also where jobs without isolation are allowed', async () => {
    for (const allowNoIsolation of [false, true]) {
      const selected = await selectDriver({ driver: 'auto', allowNoIsolation }, [sandbox, processDriver], options);
      expect(selected.driver.name).toBe('sandbox');
      expect(selected.fingerprint.isolation).toBe('namespaces');
    }
  });

  test('takes plain processes only with the word of the operator', async () => {
    const wish = { driver: 'auto', allowNoIsolation: true } as const;
    expect((await selectDriver(wish, [noSandbox, processDriver], options)).driver.name).toBe('process');
  });

  test('says what is missing and what to do where nothing is left', async () => {
    const select = selectDriver({ driver: 'auto', allowNoIsolation: false }, [noSandbox, processDriver], options);
    await expect(select).rejects.toMatchObject({
      code: 'DRIVER_UNAVAILABLE',
      message: expect.stringContaining('bubblewrap is not installed'),
      hint: expect.stringMatching(/apt install bubblewrap; or allow jobs without isolation/),
    });
  });

  test('refuses plain processes that the operator wishes for but has not allowed', async () => {
    const select = selectDriver({ driver: 'process', allowNoIsolation: false }, [sandbox, processDriver], options);
    await expect(select).rejects.toMatchObject({ code: 'DRIVER_REFUSED', hint: expect.stringContaining('allow') });
  });

  test('gives the sandbox that was asked for or none', async () => {
    const wish = { driver: 'sandbox', allowNoIsolation: true } as const;
    const select = selectDriver(wish, [noSandbox, processDriver], options);
    await expect(select).rejects.toMatchObject({ code: 'DRIVER_UNAVAILABLE' });
  });

  test('gives the mock to who asks for it, and to nobody else', async () => {
    const asked = await selectDriver({ driver: 'mock', allowNoIsolation: false }, [sandbox, mock], options);
    expect(asked.driver.name).toBe('mock');
    const auto = selectDriver({ driver: 'auto', allowNoIsolation: true }, [mock], options);
    await expect(auto).rejects.toMatchObject({ code: 'DRIVER_UNAVAILABLE' });
  });
});
