import { MAX_WATCH_REQUEST_BYTES, signClose, watchStatusSchema } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  accountOf,
  agentOf,
  domain,
  followedLease,
  meter,
  OPENED_AT,
  operatorOf,
  signedVoucherOf,
} from '../lease.fixture.ts';
import { toJson } from '../to-json.ts';
import { openWatchBench } from '../watch-bench.fixture.ts';
import type { WatchContext } from '../watch-context.ts';
import { serveApi } from './serve-api.ts';

const answerSchema = z.looseObject({ code: z.string().optional() });

async function serve(context: WatchContext) {
  const { url, close } = await serveApi(context);
  const post = async (path: string, body: unknown) => {
    const content = typeof body === 'string' ? body : toJson(body);
    const response = await fetch(new URL(path, url), { method: 'POST', body: content });
    return { status: response.status, body: answerSchema.parse(await response.json()) };
  };
  const get = async (path: string) => (await fetch(new URL(path, url))).json();
  return { post, get, [Symbol.asyncDispose]: close };
}

const lease = followedLease();
const claimOf = (member: number, units: bigint, signer = agentOf(member)) =>
  signClose(signer, domain, { leaseId: lease.leaseId, member, units });

describe('what is handed in', () => {
  it('is on the disk when it is answered, and only the best is kept', async () => {
    await using bench = await openWatchBench();
    bench.chain.latest = [lease];
    await using api = await serve(bench.context);
    const [first, second] = [await signedVoucherOf(lease, [10n, 10n]), await signedVoucherOf(lease, [20n, 20n])];
    expect(await api.post('/v1/vouchers', first)).toMatchObject({ status: 200, body: { state: 'kept' } });
    expect(await api.post('/v1/vouchers', second)).toMatchObject({ status: 200, body: { state: 'kept' } });
    expect(await api.post('/v1/vouchers', first)).toMatchObject({ status: 200, body: { state: 'known' } });
    expect(await api.post('/v1/vouchers', second)).toMatchObject({ status: 200, body: { state: 'known' } });
    expect(await api.post('/v1/closes', await claimOf(0, 15n))).toMatchObject({ status: 200, body: { state: 'kept' } });
    const { papers } = bench.restart();
    expect(papers.of(lease.leaseId)).toMatchObject({
      vouchers: [second],
      claims: [{ member: 0, units: 15n, leaves: false }],
    });
    expect(papers.counts()).toEqual({ leases: 1, vouchers: 1, claims: 1 });
  });

  it('is refused when it is not what it has to be, by status and code', async () => {
    await using bench = await openWatchBench();
    const closed = followedLease({ salt: 2n });
    bench.chain.latest = [lease, { ...closed, state: 'closed' }];
    await using api = await serve(bench.context);
    const good = await signedVoucherOf(lease, [10n, 10n]);
    const forged = { ...good, units: [11n, 10n] };
    const unknown = followedLease({ salt: 3n });
    const refused = async (path: string, body: unknown) => {
      const { status, body: error } = await api.post(path, body);
      return [status, error.code];
    };
    expect(await refused('/v1/vouchers', 'no json')).toEqual([400, 'MESSAGE_INVALID']);
    expect(await refused('/v1/vouchers', { ...good, extra: 1 })).toEqual([400, 'MESSAGE_INVALID']);
    expect(await refused('/v1/vouchers', { ...good, units: ['-1', '1'] })).toEqual([400, 'MESSAGE_INVALID']);
    expect(await refused('/v1/vouchers', 'x'.repeat(MAX_WATCH_REQUEST_BYTES + 1))).toEqual([413, 'MESSAGE_TOO_LARGE']);
    expect(await refused('/v1/vouchers', forged)).toEqual([422, 'VOUCHER_BAD_SIGNATURE']);
    expect(await refused('/v1/vouchers', await signedVoucherOf(lease, [10n, 10n, 10n]))).toEqual([
      422,
      'LEASE_MISMATCH',
    ]);
    expect(await refused('/v1/vouchers', await signedVoucherOf(closed, [1n, 1n]))).toEqual([409, 'LEASE_NOT_ACTIVE']);
    expect(await refused('/v1/vouchers', await signedVoucherOf(unknown, [1n, 1n]))).toEqual([409, 'LEASE_NOT_ACTIVE']);
    expect(await refused('/v1/closes', await claimOf(0, 5n, meter))).toEqual([403, 'NOT_ALLOWED']);
    expect(await refused('/v1/closes', await claimOf(2, 5n))).toEqual([422, 'LEASE_MISMATCH']);
    expect(await refused('/v1/nothing', {})).toEqual([404, 'METHOD_UNKNOWN']);
    expect(bench.context.papers.counts()).toEqual({ leases: 0, vouchers: 0, claims: 0 });
  });

  it('is refused for leases of nobody that it works for', async () => {
    await using bench = await openWatchBench();
    bench.chain.latest = [{ ...lease, members: lease.members.map((one) => ({ ...one, operator: operatorOf(5) })) }];
    await using api = await serve(bench.context);
    expect(await api.post('/v1/vouchers', await signedVoucherOf(lease, [1n, 1n]))).toMatchObject({
      ...{ status: 403, body: { code: 'NOT_ALLOWED' } },
    });
  });

  it('is held to a rate before a signature is looked at, and per lease after', async () => {
    await using bench = await openWatchBench({ requestsPerMinute: 3 });
    bench.chain.latest = [lease];
    await using api = await serve(bench.context);
    const forged = { ...(await signedVoucherOf(lease, [1n, 1n])), units: [2n, 2n] };
    for (let index = 0; index < 3; index += 1) expect((await api.post('/v1/vouchers', forged)).status).toBe(422);
    expect(await api.post('/v1/vouchers', forged)).toMatchObject({ status: 429, body: { code: 'WATCH_RATE_LIMITED' } });
    await bench.clock.advance(60_000);
    expect((await api.post('/v1/vouchers', forged)).status).toBe(422);

    await using other = await openWatchBench({ papersPerMinute: 2 });
    other.chain.latest = [lease];
    await using slow = await serve(other.context);
    for (const units of [1n, 2n]) {
      expect((await slow.post('/v1/vouchers', await signedVoucherOf(lease, [units, units]))).status).toBe(200);
    }
    expect((await slow.post('/v1/vouchers', await signedVoucherOf(lease, [3n, 3n]))).status).toBe(429);
  });

  it('is of so many leases and of no more', async () => {
    await using bench = await openWatchBench({ maxLeases: 1 });
    const other = followedLease({ salt: 2n });
    bench.chain.latest = [lease, other];
    await using api = await serve(bench.context);
    expect((await api.post('/v1/vouchers', await signedVoucherOf(lease, [1n, 1n]))).status).toBe(200);
    expect((await api.post('/v1/vouchers', await signedVoucherOf(other, [1n, 1n]))).status).toBe(429);
    expect((await api.post('/v1/vouchers', await signedVoucherOf(lease, [2n, 2n]))).status).toBe(200);
  });

  it('keeps the larger of two claims, and that a member wants to leave', async () => {
    await using bench = await openWatchBench();
    bench.chain.latest = [lease];
    await using api = await serve(bench.context);
    await api.post('/v1/leavings', await claimOf(1, 20n));
    expect((await api.post('/v1/closes', await claimOf(1, 10n))).body).toMatchObject({ state: 'known' });
    await api.post('/v1/closes', await claimOf(1, 30n));
    expect(bench.context.papers.of(lease.leaseId).claims).toMatchObject([
      { member: 1, units: 30n, leaves: true, keptAt: OPENED_AT + 100 },
    ]);
  });

  it('is vouchers alone where a watchtower takes it, which says how it does', async () => {
    await using bench = await openWatchBench({}, { kind: 'watchtower' });
    bench.chain.latest = [lease];
    await using api = await serve(bench.context);
    expect(await api.post('/v1/closes', await claimOf(0, 1n))).toMatchObject({
      status: 404,
      body: { code: 'METHOD_UNKNOWN' },
    });
    await api.post('/v1/vouchers', await signedVoucherOf(lease, [1n, 1n]));
    expect(watchStatusSchema.parse(await api.get('/v1/status'))).toMatchObject({
      ...{ kind: 'watchtower', leases: 1, vouchers: 1, account: accountOf('keeper').address, deeds: [] },
      for: [operatorOf(0)],
    });
  });
});
