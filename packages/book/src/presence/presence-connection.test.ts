import { connect as connectSocket } from 'node:net';
import { matchAnswerSchema, signPresence } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { type BookBench, createAgent, domain, openBench, requirements } from '../book-bench.fixture.ts';
import { HELLO_MS, PING_MS } from './presence-connection.ts';

const order = async (bench: BookBench) =>
  matchAnswerSchema.parse((await bench.post('/v1/orders', { requirements })).body);

/** Resolves when the book says that so many agents are present: it hears of a closed connection in its own time. */
async function untilPresent(bench: BookBench, present: number): Promise<void> {
  for (;;) {
    const { body } = await bench.get('/v1/status');
    if (typeof body === 'object' && body !== null && 'present' in body && body.present === present) return;
  }
}

describe('presence', () => {
  it('lasts as long as the connection: the ask stays, and is absent', async () => {
    await using bench = await openBench();
    const agent = createAgent('a', bench.registry);
    const link = await bench.present(agent, await agent.ask());
    expect((await order(bench)).chosen).toHaveLength(1);
    link.socket.terminate();
    await untilPresent(bench, 0);
    expect(await order(bench)).toMatchObject({ chosen: [], refusals: [{ reason: 'absent' }] });
  });

  it('is of the asks sent over this connection, not of those of an earlier life', async () => {
    await using bench = await openBench();
    const agent = createAgent('a', bench.registry);
    const first = await bench.present(agent, await agent.ask());
    first.socket.terminate();
    await untilPresent(bench, 0);
    await bench.present(agent, await agent.ask({ salt: 2n }));
    const { asks, chosen } = await order(bench);
    expect(asks.map(({ signed, present }) => [signed.ask.salt, present])).toEqual([
      [2n, true],
      [1n, false],
    ]);
    expect(chosen).toEqual([asks[0]?.id]);
  });

  it('passes to the newest connection of an agent', async () => {
    await using bench = await openBench();
    const agent = createAgent('a', bench.registry);
    const old = await bench.present(agent);
    const young = await bench.present(agent, await agent.ask());
    await old.closed;
    expect(young.socket.readyState).toBe(young.socket.OPEN);
    expect((await order(bench)).chosen).toHaveLength(1);
  });

  it('ends when a ping is not answered in time', async () => {
    await using bench = await openBench();
    const agent = createAgent('a', bench.registry);
    const link = await bench.present(agent);
    // Stops reading: the connection is there, and nobody behind it.
    link.socket.pause();
    await bench.clock.advance(PING_MS);
    await bench.clock.advance(PING_MS);
    await untilPresent(bench, 0);
  });

  it('goes on while pings are answered', async () => {
    await using bench = await openBench();
    const link = await bench.present(createAgent('a', bench.registry));
    for (let pings = 0; pings < 3; pings += 1) {
      const pinged = new Promise((resolve) => link.socket.once('ping', resolve));
      await bench.clock.advance(PING_MS);
      await pinged;
      // The answer to the ping is on its way before this is, so the book has it when it answers.
      link.send({ kind: 'free', freeDevices: 0 });
      link.socket.send('?');
      expect(await link.next()).toMatchObject({ kind: 'refused', code: 'MESSAGE_INVALID' });
    }
    expect(link.socket.readyState).toBe(link.socket.OPEN);
  });
});

describe('a stranger', () => {
  it.each([
    ['signs another challenge', 'a', `0x${'00'.repeat(32)}`, undefined],
    ['signs with another key', 'b', undefined, undefined],
    ['passes on what an agent signed for another book', 'a', undefined, 'http://127.0.0.1:1'],
  ] as const)('is dropped who %s', async (_, signer, other, book) => {
    await using bench = await openBench();
    const link = await bench.connect();
    const signature = await signPresence(
      createAgent(signer).account,
      domain,
      book ?? link.socket.url.replace('ws', 'http'),
      other ?? link.challenge,
    );
    link.send({ kind: 'hello', agentKey: createAgent('a').account.address, signature });
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'NOT_ALLOWED' });
    expect(await link.closed).toBe(1008);
  });

  it('is dropped who sends anything else first', async () => {
    await using bench = await openBench();
    for (const first of ['{"kind":"free","freeDevices":1}', 'not JSON', '[]']) {
      const link = await bench.connect();
      link.socket.send(first);
      expect(await link.next()).toMatchObject({ kind: 'refused' });
      expect(await link.closed).toBe(1008);
    }
  });

  it('is dropped who says nothing for too long, and nobody else', async () => {
    await using bench = await openBench();
    const silent = await bench.connect();
    const link = await bench.present(createAgent('a', bench.registry));
    await bench.clock.advance(HELLO_MS);
    await silent.closed;
    expect(link.socket.readyState).toBe(link.socket.OPEN);
  });

  it('is dropped whose message is too large', async () => {
    await using bench = await openBench();
    const link = await bench.connect();
    link.socket.send('x'.repeat(70_000));
    expect(await link.closed).toBe(1009);
  });

  it('gets only so many connections at once, and others again when they end', async () => {
    await using bench = await openBench({ connectionsPerAddress: 2 });
    const first = await bench.connect();
    await bench.connect();
    await expect(bench.connect()).rejects.toThrow('429');
    first.socket.terminate();
    const again = async (): Promise<unknown> => bench.connect().catch(again);
    await again();
  });

  it('finds nothing at other paths, and cannot hurt the book with half a handshake', async () => {
    await using bench = await openBench();
    const { hostname, port } = new URL(bench.book.url);
    const socket = connectSocket(Number(port), hostname);
    const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
    socket.write('GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect(await answer).toContain('404');
    const half = connectSocket(Number(port), hostname);
    half.write('GET /v1/presence HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    half.resetAndDestroy();
    expect(await bench.get('/v1/status')).toMatchObject({ status: 200 });
  });
});

describe('an agent', () => {
  it('cannot send, withdraw or free what is another’s', async () => {
    await using bench = await openBench();
    const [a, b] = [createAgent('a', bench.registry), createAgent('b', bench.registry)];
    await bench.present(a, await a.ask());
    const link = await bench.present(b);
    const [kept] = (await order(bench)).chosen;
    link.send({ kind: 'ask', signed: await a.ask({ salt: 2n }) });
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'NOT_ALLOWED' });
    link.send({ kind: 'withdraw', ask: kept! });
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'NOT_ALLOWED' });
    link.send({ kind: 'free', freeDevices: 0 });
    expect((await order(bench)).chosen).toEqual([kept]);
  });

  it('says how many devices are free, of those that it offers', async () => {
    await using bench = await openBench();
    const agent = createAgent('a', bench.registry);
    const link = await bench.present(agent, await agent.ask({ devices: 4 }));
    link.send({ kind: 'free', freeDevices: 5 });
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'ASK_OVERSOLD' });
    expect((await order(bench)).asks[0]?.freeDevices).toBe(4);
    link.send({ kind: 'free', freeDevices: 0 });
    link.send({ kind: 'ask', signed: await agent.ask({ devices: 4 }) });
    expect(await link.next()).toMatchObject({ kind: 'ask-accepted' });
    expect(await order(bench)).toMatchObject({ chosen: [], refusals: [{ reason: 'devices' }] });
  });

  it('withdraws its ask', async () => {
    await using bench = await openBench();
    const agent = createAgent('a', bench.registry);
    const link = await bench.present(agent, await agent.ask());
    const [ask] = (await order(bench)).chosen;
    link.send({ kind: 'withdraw', ask: ask! });
    link.send({ kind: 'withdraw', ask: ask! });
    link.socket.send('?');
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'MESSAGE_INVALID' });
    expect((await order(bench)).asks).toEqual([]);
  });

  it('learns the code for which its ask is refused', async () => {
    await using bench = await openBench();
    const link = await bench.present(createAgent('a'));
    link.send({ kind: 'ask', signed: await createAgent('a').ask() });
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'ASK_UNKNOWN_AGENT' });
    link.send({ kind: 'ask', signed: await createAgent('a').ask({ devices: 5_000 }) });
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'ASK_OUT_OF_RANGE' });
  });

  it('that floods the book is refused beyond its rate, then dropped', async () => {
    await using bench = await openBench({ messagesPerMinute: 10 });
    const link = await bench.present(createAgent('a', bench.registry));
    for (let sent = 0; sent < 200; sent += 1) link.socket.send('{"kind":"free","freeDevices":1}');
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'BOOK_RATE_LIMITED' });
    expect(await link.closed).toBe(1008);
    expect(await bench.get('/v1/status')).toMatchObject({ status: 200 });
  });
});
