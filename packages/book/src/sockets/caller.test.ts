import { createServer, type IncomingMessage, request } from 'node:http';
import { expect, it } from 'vitest';
import { type Caller, callerOf } from './caller.ts';

/** What a server on loopback makes of a request with these headers. */
async function callerAt(proxies: readonly string[], forwardedFor?: string | string[]): Promise<Caller> {
  const server = createServer();
  const received = new Promise<IncomingMessage>((resolve) =>
    server.on('request', (incoming, response) => {
      response.end();
      resolve(incoming);
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = typeof bound === 'object' ? bound?.port : undefined;
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  const sent = request({ host: '127.0.0.1', port, headers, agent: false });
  const answered = new Promise((resolve) => sent.on('response', (response) => response.resume().on('end', resolve)));
  sent.end();
  const caller = callerOf(await received, proxies);
  await answered;
  await new Promise((resolve) => server.close(resolve));
  return caller;
}

it('is where the connection comes from', async () => {
  expect(await callerAt([])).toEqual({ ip: '127.0.0.1', place: '127.0.0.1' });
});

it('is what a stranger says of itself for nobody', async () => {
  expect(await callerAt([], '203.0.113.7')).toMatchObject({ ip: '127.0.0.1' });
  expect(await callerAt(['192.0.2.1'], '203.0.113.7')).toMatchObject({ ip: '127.0.0.1' });
});

it('is what the book’s own proxy says, and not what the proxy was told', async () => {
  const caller = (forwardedFor: string | string[]) => callerAt(['127.0.0.1', '192.0.2.1'], forwardedFor);
  expect(await caller('203.0.113.7')).toMatchObject({ ip: '203.0.113.7' });
  expect(await caller('198.51.100.1, 203.0.113.7')).toMatchObject({ ip: '203.0.113.7' });
  expect(await caller('203.0.113.7, 192.0.2.1')).toMatchObject({ ip: '203.0.113.7' });
  expect(await caller(['198.51.100.1', '203.0.113.7'])).toMatchObject({ ip: '203.0.113.7' });
  expect(await caller('2001:db8::7')).toEqual({ ip: '2001:db8::7', place: '20010db800000000/64' });
});

it('is the proxy itself where it names nobody', async () => {
  for (const forwardedFor of ['', 'unknown', 'for=203.0.113.7', '203.0.113.7, unknown', '127.0.0.1']) {
    expect(await callerAt(['127.0.0.1'], forwardedFor)).toMatchObject({ ip: '127.0.0.1' });
  }
});
