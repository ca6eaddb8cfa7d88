import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { matchAnswerSchema } from '@latent/protocol';

/** How a book can be bad. Those that alter an answer take it from an honest book first. */
export type Malice =
  | 'lies about a price'
  | 'forges an ask'
  | 'answers garbage'
  | 'answers without end'
  | 'says nothing';

export interface HostileBook {
  readonly url: string;
  close(): Promise<void>;
}

/** An HTTP server on the loopback interface that poses as a book. */
export async function openHostileBook(malice: Malice, honestUrl: string): Promise<HostileBook> {
  const server = createServer((request, response) => {
    answer(malice, honestUrl, request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(malice: Malice, honestUrl: string, request: IncomingMessage, response: ServerResponse) {
  const body = await buffer(request);
  switch (malice) {
    case 'lies about a price':
    case 'forges an ask':
      response.setHeader('content-type', 'application/json');
      response.end(altered(malice, await askHonest(honestUrl, body)));
      return;
    case 'answers garbage':
      response.end('<html>200 OK</html>');
      return;
    case 'answers without end':
      await pourOut(response);
      return;
    case 'says nothing':
      return;
    default:
      malice satisfies never;
  }
}

async function askHonest(honestUrl: string, body: Uint8Array<ArrayBuffer>) {
  const headers = { 'content-type': 'application/json' };
  const honest = await fetch(`${honestUrl}/v1/orders`, { method: 'POST', headers, body });
  return matchAnswerSchema.parse(await honest.json());
}

function altered(malice: Malice, honest: Awaited<ReturnType<typeof askHonest>>): string {
  const asks = honest.asks.map((listed) => {
    const { signed } = listed;
    return malice === 'lies about a price'
      ? { ...listed, pricePerDeviceHour: '1' }
      : { ...listed, signed: { ...signed, ask: { ...signed.ask, rate: signed.ask.rate - 1n } } };
  });
  return JSON.stringify({ ...honest, asks }, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

/** Until the other side hangs up. */
async function pourOut(response: ServerResponse): Promise<void> {
  const blanks = Buffer.alloc(64 * 1024, ' ');
  await pipeline(function* () {
    for (;;) yield blanks;
  }, response);
}
