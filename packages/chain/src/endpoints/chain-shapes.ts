import { addressSchema, hex32Schema } from '@latent/protocol';
import type { Hex } from 'viem';
import { z } from 'zod';

/** What endpoints answer with, as far as it is used here: bounded, and nothing left to be believed about its shape. */

const MAX_BLOCK_TRANSACTIONS = 100_000;
const MAX_LOGS = 100_000;
const MAX_DATA_CHARACTERS = 2_000_000;

const isHex = (text: string): text is Hex => /^0x(?:[0-9a-f]{2})*$/i.test(text);
const lowerHex = z
  .string()
  .max(MAX_DATA_CHARACTERS)
  .refine(isHex, 'not hex')
  .transform((text): Hex => `0x${text.slice(2).toLowerCase()}`);
const hash = z
  .string()
  .max(66)
  .transform((text) => text.toLowerCase())
  .pipe(hex32Schema);

/** A number of JSON-RPC, such as `0x1f`, as `bigint`. */
export const quantitySchema = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/, 'not a number')
  .transform((text) => BigInt(text));

/** Unix seconds, at most those of a `uint40`. */
const secondsSchema = quantitySchema
  .refine((value) => value < 2n ** 40n, 'not a time')
  .transform((value) => Number(value));

export const blockHeaderSchema = z
  .object({
    number: quantitySchema,
    hash,
    parentHash: hash,
    timestamp: secondsSchema,
    logsBloom: lowerHex.refine((bloom) => bloom.length === 514, 'not a bloom of 256 bytes'),
    baseFeePerGas: quantitySchema.nullish().transform((value) => value ?? undefined),
    transactions: z.array(hash).max(MAX_BLOCK_TRANSACTIONS),
  })
  .readonly();
/** A block without its transactions; `transactions` are their hashes. */
export type BlockHeader = z.infer<typeof blockHeaderSchema>;

export const rawLogSchema = z
  .object({
    address: addressSchema,
    topics: z.array(hash).max(4),
    data: lowerHex,
    blockNumber: quantitySchema,
    blockHash: hash,
    transactionHash: hash,
    logIndex: quantitySchema.refine((value) => value < 2n ** 32n).transform((value) => Number(value)),
    removed: z.literal(false).optional(),
  })
  .transform(({ removed: _, ...log }) => log)
  .readonly();
/** A log as the chain has it, not decoded. */
export type RawLog = z.infer<typeof rawLogSchema>;
export const rawLogsSchema = z.array(rawLogSchema).max(MAX_LOGS);

export const receiptSchema = z
  .object({
    transactionHash: hash,
    blockHash: hash,
    blockNumber: quantitySchema,
    from: addressSchema,
    to: addressSchema.nullable(),
    status: quantitySchema.refine((value) => value <= 1n).transform((value) => (value === 1n ? 'success' : 'reverted')),
    gasUsed: quantitySchema,
    effectiveGasPrice: quantitySchema,
    logs: rawLogsSchema,
  })
  .readonly();
export type Receipt = z.infer<typeof receiptSchema>;
