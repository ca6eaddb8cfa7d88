import {
  attachParamsSchema,
  attachResultSchema,
  closeResultSchema,
  execParamsSchema,
  fetchParamsSchema,
  heldResultSchema,
  holdParamsSchema,
  holdResultSchema,
  leaseParamsSchema,
  logsParamsSchema,
  memberStatusSchema,
  networkParamsSchema,
  planParamsSchema,
  signedVoucherSchema,
  startParamsSchema,
  stopParamsSchema,
  voucherResultSchema,
} from '@latent/protocol';
import { defineMethod } from '@latent/transport';
import { z } from 'zod';

const nothing = z.object({});

/** What a renter's client can ask of an agent, and agents of each other. Meanings: `protocol/wire/`. */
export const agentMethods = {
  hold: defineMethod({ name: 'hold', kind: 'call', params: holdParamsSchema, result: holdResultSchema }),
  attach: defineMethod({ name: 'attach', kind: 'call', params: attachParamsSchema, result: attachResultSchema }),
  plan: defineMethod({ name: 'plan', kind: 'call', params: planParamsSchema, result: nothing }),
  upload: defineMethod({ name: 'upload', kind: 'stream', params: leaseParamsSchema, result: nothing }),
  start: defineMethod({ name: 'start', kind: 'call', params: startParamsSchema, result: memberStatusSchema }),
  status: defineMethod({ name: 'status', kind: 'call', params: leaseParamsSchema, result: memberStatusSchema }),
  voucher: defineMethod({ name: 'voucher', kind: 'call', params: signedVoucherSchema, result: voucherResultSchema }),
  held: defineMethod({ name: 'held', kind: 'call', params: leaseParamsSchema, result: heldResultSchema }),
  logs: defineMethod({ name: 'logs', kind: 'stream', params: logsParamsSchema, result: nothing }),
  exec: defineMethod({ name: 'exec', kind: 'stream', params: execParamsSchema, result: nothing }),
  fetch: defineMethod({ name: 'fetch', kind: 'stream', params: fetchParamsSchema, result: nothing }),
  stop: defineMethod({ name: 'stop', kind: 'call', params: stopParamsSchema, result: memberStatusSchema }),
  network: defineMethod({ name: 'network', kind: 'stream', params: networkParamsSchema, result: nothing }),
  close: defineMethod({ name: 'close', kind: 'call', params: leaseParamsSchema, result: closeResultSchema }),
} as const;

/** First byte of what a command run by `exec` wrote: where it wrote it. */
export const EXEC_STDOUT = 1;
export const EXEC_STDERR = 2;
