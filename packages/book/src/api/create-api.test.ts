import { request } from 'node:http';
import {
  asksAnswerSchema,
  bookStatusSchema,
  errorBodySchema,
  MAX_BOOK_REQUEST_BYTES,
  matchAnswerSchema,
  matchOrder,
  requirementsSchema,
} from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createAgent, createMemoryRegistry, domain, NOW, openBench, requirements } from '../book-bench.fixture.ts';

describe('POST /v1/asks', () => {
  it('takes an ask, and takes it again without a second copy', async () => {
    await using bench = await openBench();
    const signed = await createAgent('a', bench.registry).ask();
    const first = await bench.post('/v1/asks', signed);
    expect(first).toMatchObject({ status: 200, body: { state: 'accepted' } });
    expect(await bench.post('/v1/asks', signed)).toEqual(first);
    expect(await bench.get('/v1/asks')).toMatchObject({ body: { total: 1 } });
  });

  it.each([
    [
      'ASK_BAD_SIGNATURE',
      'that another key signed',
      async () => {
        const { ask, resource } = await createAgent('a').ask();
        const { signature } = await createAgent('b').ask();
        return { ask, resource, signature };
      },
    ],
    ['ASK_BAD_SIGNATURE', 'for another chain', () => createAgent('a').ask({}, {}, { ...domain, chainId: 1 })],
    [
      'ASK_BAD_SIGNATURE',
      'changed after it was signed',
      async () => {
        const signed = await createAgent('a').ask();
        return { ...signed, ask: { ...signed.ask, rate: 1n } };
      },
    ],
    [
      'ASK_RESOURCE_MISMATCH',
      'that shows another resource',
      async () => {
        const signed = await createAgent('a').ask();
        return { ...signed, resource: { ...signed.resource, memoryMiB: 1_000_000 } };
      },
    ],
    ['ASK_EXPIRED', 'that has expired', () => createAgent('a').ask({ validUntil: NOW })],
    ['ASK_OUT_OF_RANGE', 'that is valid for years', () => createAgent('a').ask({ validUntil: NOW + 100 * 86_400 })],
    ['ASK_OUT_OF_RANGE', 'of a million devices', () => createAgent('a').ask({ devices: 1_000_000 })],
    ['ASK_OUT_OF_RANGE', 'with a closing window of a second', () => createAgent('a').ask({ closeWindow: 1 })],
    ['ASK_UNKNOWN_AGENT', 'of an agent that is nobody’s', () => createAgent('stranger').ask()],
    ['ASK_UNKNOWN_AGENT', 'for another operator', () => createAgent('a').ask({ operator: createAgent('b').operator })],
    ['ASK_CANCELLED', 'of an epoch that is over', () => createAgent('cancelled').ask()],
    ['ASK_CANCELLED', 'of an epoch to come', () => createAgent('a').ask({ epoch: 1 })],
  ])('refuses with %s an ask %s', async (code, _, make) => {
    await using bench = await openBench();
    createAgent('a', bench.registry);
    createAgent('b', bench.registry);
    const cancelled = createAgent('cancelled', bench.registry);
    bench.registry.agents.set(cancelled.account.address, { operator: cancelled.operator, epoch: 1 });
    const answer = await bench.post('/v1/asks', await make());
    expect(answer).toMatchObject({ status: 422, body: { code, retry: 'never' } });
    expect(await bench.get('/v1/status')).toMatchObject({ body: { asks: 0 } });
  });

  it('refuses an ask that offers more devices than another of the same machine', async () => {
    await using bench = await openBench();
    const agent = createAgent('a', bench.registry);
    await bench.post('/v1/asks', await agent.ask({ devices: 2 }));
    const more = await bench.post('/v1/asks', await agent.ask({ devices: 3, salt: 2n }));
    expect(more).toMatchObject({ status: 422, body: { code: 'ASK_OVERSOLD', details: { devices: 3, offered: 2 } } });
    expect(await bench.post('/v1/asks', await agent.ask({ devices: 2, salt: 3n }))).toMatchObject({ status: 200 });
  });

  it('keeps only so many asks of one agent, the newest, and only so many altogether', async () => {
    await using bench = await openBench({ maxAsksPerAgent: 2, maxAsks: 3 });
    const [a, b] = [createAgent('a', bench.registry), createAgent('b', bench.registry)];
    for (const salt of [1n, 2n, 3n]) await bench.post('/v1/asks', await a.ask({ salt }));
    const { asks } = asksAnswerSchema.parse((await bench.get('/v1/asks')).body);
    expect(asks.map(({ signed }) => signed.ask.salt).toSorted()).toEqual([2n, 3n]);
    expect(await bench.post('/v1/asks', await b.ask())).toMatchObject({ status: 200 });
    expect(await bench.post('/v1/asks', await b.ask({ salt: 2n }))).toMatchObject({
      status: 429,
      body: { code: 'BOOK_RATE_LIMITED', retry: 'later' },
    });
  });

  it('limits what comes from one agent, and lets it go on after a while', async () => {
    await using bench = await openBench({ messagesPerMinute: 3 });
    const agent = createAgent('a', bench.registry);
    const statuses: number[] = [];
    for (let salt = 1n; salt <= 5n; salt += 1n) {
      statuses.push((await bench.post('/v1/asks', await agent.ask({ salt }))).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    await bench.clock.advance(20_000);
    expect(await bench.post('/v1/asks', await agent.ask({ salt: 6n }))).toMatchObject({ status: 200 });
  });
});

describe('requests', () => {
  it('are limited per address, presence of others or not', async () => {
    await using bench = await openBench({ requestsPerMinute: 5 });
    const statuses = await Promise.all(Array.from({ length: 9 }, async () => (await bench.get('/v1/status')).status));
    expect(statuses.toSorted()).toEqual([200, 200, 200, 200, 200, 429, 429, 429, 429]);
  });

  it.each([
    ['no JSON', '{'],
    ['nothing', ''],
    ['a text', '"text"'],
    ['deep nesting', `${'['.repeat(30_000)}${']'.repeat(30_000)}`],
    ['an ask without its ask', '{"resource":{}}'],
    ['a prototype', '{"__proto__":{"requirements":{}},"constructor":1}'],
  ])('with %s are refused without a trace of the code', async (_, body) => {
    await using bench = await openBench();
    for (const path of ['/v1/asks', '/v1/orders']) {
      const answer = await bench.post(path, body);
      expect(answer).toMatchObject({ status: 400, body: { code: 'MESSAGE_INVALID' } });
      expect(errorBodySchema.parse(answer.body).message).not.toMatch(/\n|node_modules|\.ts/);
    }
  });

  it('that are too large are refused, whether they say so or not', async () => {
    await using bench = await openBench();
    const body = 'x'.repeat(MAX_BOOK_REQUEST_BYTES + 1);
    expect(await bench.post('/v1/asks', body)).toMatchObject({ status: 413, body: { code: 'MESSAGE_TOO_LARGE' } });
    expect(await postInPieces(bench.book.url, body)).toBe(413);
  });

  it('for what there is not get an error body too', async () => {
    await using bench = await openBench();
    expect(await bench.get('/v2/asks')).toMatchObject({ status: 404, body: { code: 'METHOD_UNKNOWN' } });
    expect(await bench.get('/v1/asks?limit=100000')).toMatchObject({ status: 400, body: { code: 'MESSAGE_INVALID' } });
    expect(await bench.get('/v1/asks?offset=-1')).toMatchObject({ status: 400 });
  });

  it('may come from any web page', async () => {
    await using bench = await openBench();
    const response = await fetch(new URL('/v1/orders', bench.book.url), {
      method: 'OPTIONS',
      headers: { origin: 'https://example.org', 'access-control-request-method': 'POST' },
    });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-methods')).toContain('POST');
  });
});

/** Chunked, without a content length. */
function postInPieces(url: string, body: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL('/v1/asks', url), { method: 'POST' }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    for (let at = 0; at < body.length; at += 8_192) sent.write(body.slice(at, at + 8_192));
    sent.end();
  });
}

describe('POST /v1/orders', () => {
  it('answers with signed asks, and the choice that anybody comes to from them', async () => {
    await using bench = await openBench();
    const [cheap, dear, absent] = ['cheap', 'dear', 'absent'].map((name) => createAgent(name, bench.registry));
    await bench.present(cheap!, await cheap!.ask());
    await bench.present(dear!, await dear!.ask({ rate: 10n ** 12n }));
    await bench.post('/v1/asks', await absent!.ask());
    const { status, body } = await bench.post('/v1/orders', { requirements });
    const answer = matchAnswerSchema.parse(body);
    expect(status).toBe(200);
    expect(answer.asks.map(({ signed }) => signed.ask.agentKey)).toEqual([
      cheap!.account.address,
      absent!.account.address,
      dear!.account.address,
    ]);
    expect(answer.refusals.map(({ reason }) => reason)).toEqual(['absent', 'price']);
    const candidates = answer.asks.map(({ id, signed, freeDevices, present }) => ({
      id,
      ...signed,
      freeDevices,
      present,
    }));
    const again = matchOrder(requirementsSchema.parse(requirements), candidates);
    expect(again.chosen.map(({ id }) => id)).toEqual(answer.chosen);
    expect(again.refusals).toEqual(answer.refusals);
  });

  it('says what smallest change would match where too few do', async () => {
    await using bench = await openBench();
    const agent = createAgent('a', bench.registry);
    await bench.present(agent, await agent.ask());
    const { body } = await bench.post('/v1/orders', { requirements: { ...requirements, machines: 2 } });
    expect(matchAnswerSchema.parse(body)).toMatchObject({
      chosen: [],
      relaxations: [{ field: 'machines', value: '1', text: '1 machine instead of 2: $0.50/h' }],
    });
  });

  it('gets the same answer from two books that know the same', async () => {
    const registry = createMemoryRegistry();
    await using one = await openBench({ registry });
    await using other = await openBench({ registry });
    const agents = ['a', 'b', 'c', 'd', 'e'].map((name) => createAgent(name, registry));
    const asks = await Promise.all(agents.map((agent, at) => agent.ask({ rate: BigInt(10 ** 8 * (1 + (at % 3))) })));
    for (const [at, agent] of agents.entries()) await one.present(agent, asks[at]);
    for (const [at, agent] of [...agents.entries()].reverse()) await other.present(agent, asks[at]);
    const order = { requirements: { ...requirements, machines: 3, spares: 1 } };
    const answers = [await one.post('/v1/orders', order), await other.post('/v1/orders', order)];
    expect(matchAnswerSchema.parse(answers[0]?.body).chosen).toHaveLength(3);
    expect(answers[0]?.text).toBe(answers[1]?.text);
  });
});

describe('GET', () => {
  it('/v1/status says which book this is, and how much it holds', async () => {
    await using bench = await openBench({ name: 'book-7' });
    const agent = createAgent('a', bench.registry);
    await bench.present(agent, await agent.ask());
    const { body } = await bench.get('/v1/status');
    const counts = { asks: 1, present: 1, links: 0, channels: 0, relayedBytes: 0 };
    expect(bookStatusSchema.parse(body)).toEqual({ name: 'book-7', ...domain, ...counts });
  });

  it('/v1/asks lists the cheapest first, page by page', async () => {
    await using bench = await openBench();
    const agent = createAgent('a', bench.registry);
    for (const rate of [3n, 1n, 2n]) await bench.post('/v1/asks', await agent.ask({ rate: rate * 10n ** 9n }));
    const page = async (query: string) =>
      asksAnswerSchema
        .parse((await bench.get(`/v1/asks?${query}`)).body)
        .asks.map(({ pricePerDeviceHour }) => pricePerDeviceHour);
    expect(await page('')).toEqual(['3600', '7200', '10800']);
    expect(await page('offset=1&limit=1')).toEqual(['7200']);
  });

  it('/openapi.json describes the routes and what goes in', async () => {
    await using bench = await openBench();
    const operation = z.object({ summary: z.string(), responses: z.record(z.string(), z.unknown()) });
    const document = z.object({ paths: z.record(z.string(), z.record(z.string(), operation)) });
    const { paths } = document.parse((await bench.get('/openapi.json')).body);
    expect(Object.entries(paths).map(([path, methods]) => [path, Object.keys(methods)])).toEqual([
      ['/v1/asks', ['post', 'get']],
      ['/v1/orders', ['post']],
      ['/v1/status', ['get']],
      ['/v1/relay', ['get']],
      ['/v1/presence', ['get']],
      ['/v1/peers', ['get']],
    ]);
  });
});
