import { integerColumn } from '@latent/kit';
import { addressSchema, hex32Schema, isErrorCode, uintSchema } from '@latent/protocol';
import { type Hex, isHex } from 'viem';
import { z } from 'zod';

/** The sender's tables. `openStore` takes them beside the caller's own. */
export const senderMigrations: readonly string[] = [
  `
  CREATE TABLE sender_wish (
    chain_id INTEGER NOT NULL, account TEXT NOT NULL, idempotency_key TEXT NOT NULL,
    target TEXT NOT NULL, data TEXT NOT NULL, most_wei TEXT NOT NULL, spent_wei TEXT NOT NULL, last_spent_wei TEXT NOT NULL,
    risked_wei TEXT NOT NULL, last_risked_wei TEXT NOT NULL,
    state TEXT NOT NULL, nonce INTEGER, is_settled INTEGER NOT NULL,
    mined_hash TEXT, done_by TEXT, problem_code TEXT, problem TEXT,
    created_at_ms INTEGER NOT NULL, confirmed_at_ms INTEGER,
    PRIMARY KEY (chain_id, account, idempotency_key)
  ) STRICT;
  CREATE UNIQUE INDEX sender_wish_nonce ON sender_wish (chain_id, account, nonce) WHERE is_settled = 0 AND nonce IS NOT NULL;
  CREATE TABLE sender_attempt (
    hash TEXT PRIMARY KEY,
    chain_id INTEGER NOT NULL, account TEXT NOT NULL, idempotency_key TEXT NOT NULL, nonce INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('call', 'cancel')), signed TEXT NOT NULL,
    gas TEXT NOT NULL, max_fee_per_gas TEXT NOT NULL, tip_per_gas TEXT NOT NULL,
    signed_at_ms INTEGER NOT NULL, sent_at_ms INTEGER,
    FOREIGN KEY (chain_id, account, idempotency_key) REFERENCES sender_wish (chain_id, account, idempotency_key)
  ) STRICT;
  CREATE INDEX sender_attempt_nonce ON sender_attempt (chain_id, account, idempotency_key, nonce, signed_at_ms);
  `,
];

const hexColumn = z.string().refine((text): text is Hex => isHex(text), 'not hex');

const sendStates = ['wanted', 'signed', 'mined', 'confirmed', 'done', 'refused', 'reverted', 'ineffective'] as const;

export const wishRow = z
  .object({
    idempotency_key: z.string(),
    target: addressSchema,
    data: hexColumn,
    most_wei: uintSchema(256),
    spent_wei: uintSchema(256),
    last_spent_wei: uintSchema(256),
    risked_wei: uintSchema(256),
    last_risked_wei: uintSchema(256),
    state: z.enum(sendStates),
    nonce: integerColumn.nullable(),
    is_settled: z.int(),
    mined_hash: hex32Schema.nullable(),
    done_by: z.enum(['us', 'others']).nullable(),
    problem_code: z.string().refine(isErrorCode, 'not an error code').nullable(),
    problem: z.string().nullable(),
    created_at_ms: z.int(),
    confirmed_at_ms: z.int().nullable(),
  })
  .transform((row) => ({
    key: row.idempotency_key,
    call: { to: row.target, data: row.data },
    mostWei: row.most_wei,
    spentWei: row.spent_wei,
    /** Of that, what the nonce cost that was settled last. */
    lastSpentWei: row.last_spent_wei,
    /** What the settled nonces can have cost at most, whatever receipts say. */
    riskedWei: row.risked_wei,
    lastRiskedWei: row.last_risked_wei,
    state: row.state,
    nonce: row.nonce ?? undefined,
    isSettled: row.is_settled === 1,
    minedHash: row.mined_hash ?? undefined,
    doneBy: row.done_by ?? undefined,
    problemCode: row.problem_code ?? undefined,
    problem: row.problem ?? undefined,
    createdAtMs: row.created_at_ms,
    confirmedAtMs: row.confirmed_at_ms ?? undefined,
  }));
export type Wish = z.infer<typeof wishRow>;

export const attemptRow = z
  .object({
    hash: hex32Schema,
    nonce: integerColumn,
    kind: z.enum(['call', 'cancel']),
    signed: hexColumn,
    gas: uintSchema(64),
    max_fee_per_gas: uintSchema(256),
    tip_per_gas: uintSchema(256),
    signed_at_ms: z.int(),
    sent_at_ms: z.int().nullable(),
  })
  .transform((row) => ({
    hash: row.hash,
    nonce: row.nonce,
    kind: row.kind,
    signed: row.signed,
    gas: row.gas,
    fees: { maxFeePerGas: row.max_fee_per_gas, tipPerGas: row.tip_per_gas },
    signedAtMs: row.signed_at_ms,
    sentAtMs: row.sent_at_ms ?? undefined,
  }));
export type Attempt = z.infer<typeof attemptRow>;
