import { type Clock, integerColumn, type SqlValue, type Store } from '@latent/kit';
import { type ErrorCode, LatentError } from '@latent/protocol';
import type { ContractCall } from '@latent/sdk';
import type { Address, Hex } from 'viem';
import { z } from 'zod';
import { type Attempt, attemptRow, type Wish, wishRow } from './sender-schema.ts';

export interface NewAttempt {
  readonly hash: Hex;
  readonly nonce: bigint;
  readonly kind: Attempt['kind'];
  readonly signed: Hex;
  readonly gas: bigint;
  readonly fees: Attempt['fees'];
}

/** What is wished for and what was signed for it, in SQLite before anything is sent. */
export interface Outbox {
  find(key: string): Wish | undefined;
  /** Wishes whose nonce is not settled yet, by nonce. */
  unsettled(): readonly Wish[];
  /** Not ended, or not settled. */
  open(): readonly Wish[];
  /** One above all that were ever signed for; 0 at first. */
  nextNonce(): bigint;
  /** Adds a wish, or takes up one of that key. @throws LatentError INTERNAL if the key was used for another call */
  begin(key: string, call: ContractCall, mostWei: bigint): Wish;
  /** Attempts for the wish's nonce, the newest first. */
  attempts(wish: Pick<Wish, 'key' | 'nonce'>): readonly Attempt[];
  allHashes(key: string): readonly Hex[];
  /** Stores what was signed; from here on it may be sent. @returns false if the nonce has been taken meanwhile */
  sign(key: string, attempt: NewAttempt): boolean;
  noteSent(hash: Hex): void;
  /** It is in a block, or (undefined) it is not any more. */
  noteMined(key: string, hash: Hex | undefined): void;
  /** The nonce is used up for good. `spentWei` is added to what the wish has cost. */
  settle(key: string, settled: Settled): void;
  /** What was settled is not in the chain any more. */
  unsettle(wish: Wish): void;
  finish(key: string, by: 'us' | 'others'): void;
  fail(key: string, state: 'refused' | 'reverted' | 'ineffective', code: ErrorCode, problem: string): void;
}

export interface Settled {
  /** `wanted`: it has to begin anew; undefined: it stays what it is. */
  readonly state: 'wanted' | 'confirmed' | 'reverted' | undefined;
  readonly hash: Hex | undefined;
  readonly spentWei: bigint;
  /** What the attempts for it could have cost at most. */
  readonly riskedWei: bigint;
}

export interface OutboxOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly chainId: number;
  readonly account: Address;
}

const WISH_COLUMNS = `idempotency_key, target, data, most_wei, spent_wei, last_spent_wei, risked_wei,
  last_risked_wei, state, nonce, is_settled, mined_hash, done_by,
  problem_code, problem, created_at_ms, confirmed_at_ms`;
const MINE = 'chain_id = ? AND account = ?';
const ATTEMPTS = `SELECT hash, nonce, kind, signed, gas, max_fee_per_gas, tip_per_gas, signed_at_ms, sent_at_ms
  FROM sender_attempt WHERE ${MINE}`;
const nextRow = z.object({ next: integerColumn });

export function createOutbox({ store, clock, chainId, account }: OutboxOptions): Outbox {
  const mine: readonly SqlValue[] = [chainId, account];
  const wishes = (where: string, params: readonly SqlValue[] = []) =>
    store.all(`SELECT ${WISH_COLUMNS} FROM sender_wish WHERE ${MINE} AND ${where}`, [...mine, ...params], wishRow);
  const change = (key: string, set: string, params: readonly SqlValue[]) =>
    store.run(`UPDATE sender_wish SET ${set} WHERE ${MINE} AND idempotency_key = ?`, [...params, ...mine, key]);
  const find = (key: string) => wishes('idempotency_key = ?', [key])[0];

  function begin(key: string, call: ContractCall, mostWei: bigint): Wish {
    return store.transaction(() => {
      const sql = `INSERT INTO sender_wish (chain_id, account, idempotency_key, target, data, most_wei, spent_wei, last_spent_wei, risked_wei, last_risked_wei, state, is_settled, created_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, '0', '0', '0', '0', 'wanted', 1, ?) ON CONFLICT DO NOTHING`;
      store.run(sql, [...mine, key, call.to, call.data.toLowerCase(), `${mostWei}`, clock.nowMs()]);
      const wish = find(key);
      if (wish === undefined) throw new LatentError('STORE_FAILED', 'A wish that was just written is not there.');
      if (wish.call.to.toLowerCase() !== call.to.toLowerCase() || wish.call.data !== call.data.toLowerCase()) {
        throw new LatentError('INTERNAL', `The key ${key} was used for another call.`, {
          hint: 'One key, one wish.',
          details: { key, to: wish.call.to },
        });
      }
      const hasFailed = wish.state === 'refused' || wish.state === 'reverted' || wish.state === 'ineffective';
      const state = hasFailed ? (wish.isSettled ? 'wanted' : 'signed') : wish.state;
      const nonce = state === 'wanted' ? undefined : wish.nonce;
      const set = 'most_wei = ?, state = ?, nonce = ?, problem_code = NULL, problem = NULL';
      change(key, set, [`${mostWei}`, state, nonce ?? null]);
      return { ...wish, mostWei, state, nonce, problemCode: undefined, problem: undefined };
    });
  }

  function sign(key: string, { hash, nonce, kind, signed, gas, fees }: NewAttempt): boolean {
    return store.transaction(() => {
      const taken = wishes('is_settled = 0 AND nonce = ? AND idempotency_key <> ?', [nonce, key]);
      if (taken.length > 0) return false;
      const isFirst = find(key)?.nonce !== nonce;
      if (isFirst) change(key, "state = 'signed', nonce = ?, is_settled = 0, mined_hash = NULL", [nonce]);
      store.run('INSERT INTO sender_attempt VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING', [
        ...[hash, ...mine, key, nonce, kind, signed],
        ...[`${gas}`, `${fees.maxFeePerGas}`, `${fees.tipPerGas}`, clock.nowMs()],
      ]);
      return true;
    });
  }

  return {
    find,
    unsettled: () => wishes('is_settled = 0 AND nonce IS NOT NULL ORDER BY nonce'),
    open: () =>
      wishes("(is_settled = 0 OR state IN ('wanted', 'signed', 'mined', 'confirmed')) ORDER BY created_at_ms"),
    nextNonce: () => {
      const sql = `SELECT coalesce(max(nonce) + 1, 0) AS next FROM sender_attempt WHERE ${MINE}`;
      return store.get(sql, mine, nextRow)?.next ?? 0n;
    },
    begin,
    attempts: ({ key, nonce }) =>
      nonce === undefined
        ? []
        : store.all(
            `${ATTEMPTS} AND idempotency_key = ? AND nonce = ? ORDER BY rowid DESC`,
            [...mine, key, nonce],
            attemptRow,
          ),
    allHashes: (key) =>
      store
        .all(`${ATTEMPTS} AND idempotency_key = ? ORDER BY rowid`, [...mine, key], attemptRow)
        .map(({ hash }) => hash),
    sign,
    noteSent: (hash) =>
      void store.run('UPDATE sender_attempt SET sent_at_ms = ? WHERE hash = ?', [clock.nowMs(), hash]),
    noteMined: (key, hash) => {
      const state = hash === undefined ? 'signed' : 'mined';
      change(key, "mined_hash = ?, state = CASE WHEN state IN ('signed', 'mined') THEN ? ELSE state END", [
        hash ?? null,
        state,
      ]);
    },
    settle: (key, { state, hash, spentWei, riskedWei }) =>
      store.transaction(() => {
        const wish = find(key);
        if (wish === undefined) return;
        const next = wish.state === 'signed' || wish.state === 'mined' ? (state ?? wish.state) : wish.state;
        const nonce = next === 'wanted' ? null : (wish.nonce ?? null);
        const set = `is_settled = 1, state = ?, nonce = ?, mined_hash = ?, confirmed_at_ms = ?,
          spent_wei = ?, last_spent_wei = ?, risked_wei = ?, last_risked_wei = ?`;
        change(key, set, [
          ...[next, nonce, hash ?? null, clock.nowMs()],
          ...[`${wish.spentWei + spentWei}`, `${spentWei}`, `${wish.riskedWei + riskedWei}`, `${riskedWei}`],
        ]);
      }),
    unsettle: ({ key, spentWei, lastSpentWei, riskedWei, lastRiskedWei }) => {
      const set = `is_settled = 0, state = 'signed', mined_hash = NULL, confirmed_at_ms = NULL,
        spent_wei = ?, last_spent_wei = '0', risked_wei = ?, last_risked_wei = '0'`;
      change(key, set, [`${spentWei - lastSpentWei}`, `${riskedWei - lastRiskedWei}`]);
    },
    finish: (key, by) => void change(key, "state = 'done', done_by = ?, problem_code = NULL, problem = NULL", [by]),
    fail: (key, state, code, problem) =>
      void change(key, 'state = ?, problem_code = ?, problem = ?', [state, code, problem]),
  };
}
