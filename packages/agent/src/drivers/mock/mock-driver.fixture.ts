import { systemClock } from '@latent/kit';
import type { Driver } from '../driver.ts';
import { createMockDriver } from './mock-driver.ts';

export const create = (): Driver => createMockDriver({ clock: systemClock });
