import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { createManualClock, silentLogger } from '@latent/kit';
import { leaseIdSchema, signClose } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { handOnVouchers } from './hand-on-vouchers.ts';
import { type LeaseBench, openLeaseBench } from './lease-bench.fixture.ts';

const bodySchema = z.object({ leaseId: leaseIdSchema, units: z.union([z.string(), z.array(z.string())]) });

/** Takes what is handed to it, or refuses it, as it is told. */
async function openTower() {
  const got: string[] = [];
  const tower = { got, url: '', refuses: undefined as string | undefined };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { leaseId, units } = bodySchema.parse(JSON.parse(body));
      got.push(`${request.url} ${units}`);
      const code = request.url === '/v1/closes' ? 'METHOD_UNKNOWN' : tower.refuses;
      const refusal = { code, message: 'No.', retry: 'later' };
      response.end(JSON.stringify(code === undefined ? { leaseId, state: 'kept' } : refusal));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  tower.url = `http://127.0.0.1:${address.port}`;
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { tower, [Symbol.asyncDispose]: close };
}

/** Hands on by a clock that the test moves. */
function startHanding(bench: LeaseBench, watchtowers: readonly string[]) {
  const clock = createManualClock(bench.clock.nowMs());
  const ending = new AbortController();
  const { context } = bench.desk;
  const options = { ...context.options, watchtowers: [...watchtowers], handOnSeconds: 30 };
  const ended = handOnVouchers({
    members: context.members,
    options,
    clock,
    logger: silentLogger,
    signal: ending.signal,
  });
  const look = async (seconds: number) => {
    await clock.untilSleeping(watchtowers.length);
    for (let second = 0; second < seconds; second += 1) {
      await clock.advance(1_000);
      await clock.untilSleeping(watchtowers.length);
    }
  };
  const end = async () => {
    ending.abort();
    await ended;
  };
  return { look, end };
}

async function takeVoucher(bench: LeaseBench, units: bigint): Promise<void> {
  const { members } = bench.desk.context;
  const record = members.find(bench.leaseId);
  if (record === undefined) throw new Error('the member is not attached');
  members.save({ ...record, state: 'running', voucher: await bench.voucher(units) });
}

describe('handing on vouchers', () => {
  it('hands on the first at once, then the newest at most every so many seconds, and each once', async () => {
    await using bench = await openLeaseBench();
    await using server = await openTower();
    const { tower } = server;
    bench.attach();
    const handing = startHanding(bench, [tower.url]);
    await handing.look(2);
    expect(tower.got).toEqual([]);
    await takeVoucher(bench, 10n);
    await handing.look(1);
    expect(tower.got).toEqual(['/v1/vouchers 10']);
    for (const units of [11n, 12n, 13n]) {
      await takeVoucher(bench, units);
      await handing.look(5);
    }
    expect(tower.got).toHaveLength(1);
    await handing.look(20);
    expect(tower.got).toEqual(['/v1/vouchers 10', '/v1/vouchers 13']);
    await handing.look(60);
    expect(tower.got).toHaveLength(2);
    await handing.end();
    expect(tower.got).toHaveLength(2);
  });

  it('hands on the last one, and the claim, as soon as the member has stopped', async () => {
    await using bench = await openLeaseBench();
    await using server = await openTower();
    const { tower } = server;
    bench.attach();
    await takeVoucher(bench, 10n);
    const handing = startHanding(bench, [tower.url]);
    await handing.look(1);
    await takeVoucher(bench, 15n);
    const { members, identity, chain } = bench.desk.context;
    const record = members.find(bench.leaseId)!;
    const claim = await signClose(identity.agent, chain.domain, { leaseId: bench.leaseId, member: 0, units: 14n });
    members.save({ ...record, state: 'closed', claim });
    await handing.look(1);
    expect(tower.got).toEqual(['/v1/vouchers 10', '/v1/vouchers 15', '/v1/closes 14']);
    // A watchtower takes no claims, and is not asked again.
    await handing.look(60);
    expect(tower.got).toHaveLength(3);
    members.save({ ...record, state: 'settled', voucher: await bench.voucher(16n) });
    await handing.look(40);
    await handing.end();
    expect(tower.got).toHaveLength(3);
  });

  it('tries again, less and less often, until it is taken; the others do not wait', async () => {
    await using bench = await openLeaseBench();
    await using one = await openTower();
    await using other = await openTower();
    one.tower.refuses = 'LEASE_NOT_ACTIVE';
    bench.attach();
    await takeVoucher(bench, 10n);
    const { members } = bench.desk.context;
    members.save({ ...members.find(bench.leaseId)!, state: 'stopped' });
    const handing = startHanding(bench, [one.tower.url, other.tower.url]);
    await handing.look(30);
    expect(other.tower.got).toHaveLength(1);
    // After 2, 4, 8 and 16 seconds.
    expect(one.tower.got).toHaveLength(5);
    one.tower.refuses = undefined;
    await handing.look(31);
    expect(one.tower.got).toHaveLength(6);
    await handing.look(60);
    await handing.end();
    expect(one.tower.got).toHaveLength(6);
  });

  it('hands on what is left when the agent ends', async () => {
    await using bench = await openLeaseBench();
    await using server = await openTower();
    bench.attach();
    await takeVoucher(bench, 10n);
    const handing = startHanding(bench, [server.tower.url]);
    await handing.look(1);
    await takeVoucher(bench, 12n);
    await handing.end();
    expect(server.tower.got).toEqual(['/v1/vouchers 10', '/v1/vouchers 12']);
  });

  it('goes on where nobody is there, and where rubbish is answered', async () => {
    await using bench = await openLeaseBench();
    const server = createServer((_, response) => response.end('<html>'.repeat(100_000)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    bench.attach();
    await takeVoucher(bench, 10n);
    const handing = startHanding(bench, ['http://127.0.0.1:1', `http://127.0.0.1:${port}`]);
    await handing.look(5);
    await handing.end();
    server.close();
  });
});
