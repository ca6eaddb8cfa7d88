import { type LogFields, silentLogger } from '@latent/kit';
import { matchAnswerSchema } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { type BookBench, createAgent, NOW, openBench, requirements } from '../book-bench.fixture.ts';
import { RECHECK_MS, SWEEP_MS, VERIFY_PENDING_MS } from './start-upkeep.ts';

const order = async (bench: BookBench) =>
  matchAnswerSchema.parse((await bench.post('/v1/orders', { requirements })).body);

describe('while the chain does not answer', () => {
  it('keeps an ask without serving it, says so in the log, and serves it once the chain bears it out', async () => {
    const warned: [LogFields, string][] = [];
    const logger = { ...silentLogger, warn: (...line: [LogFields, string]) => void warned.push(line) };
    await using bench = await openBench({ logger });
    const agent = createAgent('a', bench.registry);
    bench.registry.isDown = true;
    const link = await bench.present(agent);
    link.send({ kind: 'ask', signed: await agent.ask() });
    const posted = await bench.post('/v1/asks', await createAgent('b', bench.registry).ask());
    expect(posted).toMatchObject({ status: 202, body: { state: 'pending' } });
    expect((await order(bench)).asks).toEqual([]);

    await bench.clock.advance(VERIFY_PENDING_MS);
    expect(warned).toEqual([[{ asks: 2 }, 'the chain does not answer: asks are kept and wait for it']]);
    expect((await order(bench)).asks).toEqual([]);

    bench.registry.isDown = false;
    await bench.clock.advance(VERIFY_PENDING_MS);
    expect(await link.next()).toMatchObject({ kind: 'ask-accepted' });
    expect((await order(bench)).chosen).toHaveLength(1);
    expect((await order(bench)).asks).toHaveLength(2);
  });

  it('drops the ask and tells its agent, if the chain then speaks against it', async () => {
    await using bench = await openBench();
    bench.registry.isDown = true;
    const stranger = createAgent('stranger');
    const link = await bench.present(stranger);
    link.send({ kind: 'ask', signed: await stranger.ask() });
    const replay = await bench.post('/v1/asks', await stranger.ask());
    expect(replay).toMatchObject({ status: 202 });
    bench.registry.isDown = false;
    await bench.clock.advance(VERIFY_PENDING_MS);
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'ASK_UNKNOWN_AGENT' });
    expect(await bench.get('/v1/status')).toMatchObject({ body: { asks: 0 } });
  });

  it('lets only so many wait', async () => {
    await using bench = await openBench({ maxPendingAsks: 1 });
    bench.registry.isDown = true;
    const statuses = [];
    for (const name of ['a', 'b']) statuses.push((await bench.post('/v1/asks', await createAgent(name).ask())).status);
    expect(statuses).toEqual([202, 503]);
  });

  it('goes on serving what it had confirmed before', async () => {
    await using bench = await openBench();
    const agent = createAgent('a', bench.registry);
    await bench.present(agent, await agent.ask());
    bench.registry.isDown = true;
    await bench.clock.advance(RECHECK_MS);
    expect((await order(bench)).chosen).toHaveLength(1);
  });
});

describe('served asks', () => {
  it('are dropped when their agent has cancelled them on chain, and the agent is told', async () => {
    await using bench = await openBench();
    const agent = createAgent('a', bench.registry);
    const link = await bench.present(agent, await agent.ask());
    bench.registry.agents.set(agent.account.address, { operator: agent.operator, epoch: 1 });
    await bench.clock.advance(RECHECK_MS);
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'ASK_CANCELLED' });
    expect((await order(bench)).asks).toEqual([]);
    link.send({ kind: 'ask', signed: await agent.ask({ epoch: 1 }) });
    expect(await link.next()).toMatchObject({ kind: 'ask-accepted' });
  });

  it('are swept when they have expired', async () => {
    await using bench = await openBench();
    const agent = createAgent('a', bench.registry);
    await bench.post('/v1/asks', await agent.ask({ validUntil: NOW + 5 }));
    await bench.post('/v1/asks', await agent.ask({ validUntil: NOW + 500 }));
    await bench.clock.advance(SWEEP_MS);
    expect(await bench.get('/v1/status')).toMatchObject({ body: { asks: 1 } });
  });
});
