import { systemClock } from '@latent/kit';
import { describe, expect, test } from 'vitest';
import { selectMachineDriver } from './select-machine-driver.ts';

const options = { clock: systemClock, signal: AbortSignal.timeout(30_000) };
const docker = { socket: '/nonexistent/engine.sock', image: 'debian', network: 'bridge' };

describe('selectMachineDriver', () => {
  test('gives containers to who asks for them, or says what is missing', async () => {
    const select = selectMachineDriver({ driver: 'docker', allowNoIsolation: true }, { ...options, docker });
    await expect(select).rejects.toMatchObject({
      code: 'DRIVER_UNAVAILABLE',
      message: expect.stringContaining('docker: No container engine listens at /nonexistent/engine.sock'),
      hint: expect.stringContaining('systemctl start docker'),
    });
  });

  test('passes over an engine that does not answer where another driver was not excluded', async () => {
    const wish = { driver: 'auto', allowNoIsolation: true } as const;
    const { driver } = await selectMachineDriver(wish, { ...options, docker });
    expect(['sandbox', 'process']).toContain(driver.name);
  });
});
