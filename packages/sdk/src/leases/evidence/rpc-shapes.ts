import { addressSchema, hex32Schema } from '@latent/protocol';
import type { Hex } from 'viem';
import { z } from 'zod';
import { quantitySchema } from './chain-reader.ts';

/** What endpoints answer with, as far as a bill is made of it: bounded, and checked. */

/** Of all events of one lease. */
const MAX_EVENTS = 20_000;
/** Of one transaction, those of other contracts too. */
const MAX_LOGS = 20_000;
const MAX_DATA_CHARACTERS = 1_000_000;

const isHex = (text: string): text is Hex => /^0x(?:[0-9a-f]{2})*$/i.test(text);
export const dataSchema = z
  .string()
  .max(MAX_DATA_CHARACTERS)
  .refine(isHex, 'not hex')
  .transform((text): Hex => `0x${text.slice(2).toLowerCase()}`);
const hash = z
  .string()
  .max(66)
  .transform((text) => text.toLowerCase())
  .pipe(hex32Schema);
const secondsSchema = quantitySchema.refine((value) => value < 2n ** 40n, 'not a time').transform(Number);
const placeSchema = quantitySchema.refine((value) => value < 2n ** 32n, 'not a place').transform(Number);

const logSchema = z.object({
  address: addressSchema,
  topics: z.array(hash).max(4),
  data: dataSchema,
  blockNumber: quantitySchema,
  blockHash: hash,
  transactionHash: hash,
  logIndex: placeSchema,
});
export type RpcLog = z.infer<typeof logSchema>;
export const logsSchema = z.array(logSchema).max(MAX_EVENTS);

export const blockSchema = z.object({ number: quantitySchema, hash, timestamp: secondsSchema });

export const transactionSchema = z.object({
  hash,
  blockNumber: quantitySchema,
  from: addressSchema,
  to: addressSchema.nullable(),
  input: dataSchema,
});

export const receiptSchema = z.object({
  transactionHash: hash,
  blockNumber: quantitySchema,
  status: z.literal('0x1'),
  gasUsed: quantitySchema,
  effectiveGasPrice: quantitySchema,
  logs: z.array(logSchema).max(MAX_LOGS),
});
