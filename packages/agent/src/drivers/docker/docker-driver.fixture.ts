import { processEnvironment, systemClock } from '@latent/kit';
import type { Driver } from '../driver.ts';
import { createDockerDriver } from './docker-driver.ts';

/** The engine that the test has started, named by its environment so that a process which the test starts finds it too. */
export const create = (): Driver =>
  createDockerDriver({
    clock: systemClock,
    socket: processEnvironment()['LATENT_TEST_ENGINE'] ?? '/nonexistent',
    image: processEnvironment()['LATENT_TEST_IMAGE'],
    network: 'none',
  });
