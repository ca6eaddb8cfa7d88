import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock, openStore } from '@latent/kit';
import { askIdSchema, MAX_BOOK_ANSWER_BYTES, matchAnswerSchema, requirementsSchema } from '@latent/protocol';
import { pad, toHex } from 'viem';
import { expect, it } from 'vitest';
import { createAgent, NOW, requirements } from '../book-bench.fixture.ts';
import { createRoster } from '../presence/roster.ts';
import { asksMigration, openKeptAsks } from '../store/kept-asks.ts';
import { toJson } from '../to-json.ts';
import { answerOrder, listAsks } from './answer-order.ts';

const longest = { model: '\u{1d7d8}'.repeat(32), hints: Array(8).fill('"'.repeat(128)), region: 'r'.repeat(32) };

/** Asks of one agent, told apart by their ids alone: nothing here looks at signatures. */
async function shelf(count: number) {
  const folder = await mkdtemp(join(tmpdir(), 'shelf-'));
  const store = openStore({ path: join(folder, 'book.sqlite'), migrations: [asksMigration] });
  const kept = openKeptAsks(store);
  const signed = await createAgent('a').ask({}, longest);
  store.transaction(() => {
    for (let at = 1; at <= count; at += 1) {
      kept.keep({ id: askIdSchema.parse(pad(toHex(at), { size: 32 })), signed, verified: at !== 1 });
    }
  });
  const listing = { kept, roster: createRoster(), clock: createManualClock(NOW * 1_000) };
  return {
    ...listing,
    [Symbol.asyncDispose]: async () => {
      store.close();
      await rm(folder, { recursive: true });
    },
  };
}

it('keeps an answer within what a client reads, however long agents make their asks', async () => {
  await using listing = await shelf(800);
  const answer = answerOrder(listing, requirementsSchema.parse(requirements));
  expect(matchAnswerSchema.parse(answer).asks.length).toBeGreaterThan(200);
  expect(answer.refusals).toHaveLength(answer.asks.length);
  expect(Buffer.byteLength(toJson(answer))).toBeLessThan(MAX_BOOK_ANSWER_BYTES);
  const page = listAsks(listing, { offset: 10, limit: 512 });
  expect(page.total).toBe(799);
  expect(Buffer.byteLength(toJson(page))).toBeLessThan(MAX_BOOK_ANSWER_BYTES);
});

it('serves neither what the chain has not confirmed nor what has expired', async () => {
  await using listing = await shelf(3);
  const ids = () => listAsks(listing, { offset: 0, limit: 9 }).asks.map(({ id }) => BigInt(id));
  expect(ids()).toEqual([2n, 3n]);
  await listing.clock.advance(3_600_000);
  expect(ids()).toEqual([]);
});
