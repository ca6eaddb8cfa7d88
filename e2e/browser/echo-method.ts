import { defineMethod } from '@latent/transport';
import { z } from 'zod';

/** What the test's own peers can be asked: to send every message back. */
export const echoMethod = defineMethod({ name: 'echo', kind: 'stream', params: z.object({}), result: z.object({}) });
