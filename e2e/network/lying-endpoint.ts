import { once } from 'node:events';
import { createServer } from 'node:http';
import { text as readText } from 'node:stream/consumers';

export interface LyingEndpoint {
  readonly url: string;
  close(): Promise<void>;
}

/** Passes requests on to an honest endpoint, and puts one text for another into all its answers. */
export async function startLyingEndpoint(honest: string, truth: string, lie: string): Promise<LyingEndpoint> {
  const server = createServer(async (request, response) => {
    try {
      const answer = await fetch(honest, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: await readText(request),
      });
      const text = await answer.text();
      response.setHeader('content-type', 'application/json').end(text.replaceAll(truth, lie));
    } catch {
      response.writeHead(502).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the endpoint has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
