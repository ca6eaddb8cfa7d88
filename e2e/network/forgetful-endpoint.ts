import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

const requestSchema = z.looseObject({ id: z.union([z.int(), z.string()]), method: z.string() });

export interface ForgetfulEndpoint extends AsyncDisposable {
  readonly url: string;
}

/**
 * An RPC endpoint of the chain behind `rpcUrl` that has lost every receipt, says of every call that it would do nothing, and
 * asks no fee.
 */
export async function openForgetfulEndpoint(rpcUrl: string): Promise<ForgetfulEndpoint> {
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      const { id, method } = requestSchema.parse(JSON.parse(body));
      const lie = lies.get(method);
      if (lie !== undefined) {
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result: lie }));
        return;
      }
      const honest = await fetch(rpcUrl, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
      response.end(await honest.text());
    })().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const lies = new Map<string, unknown>([
  ['eth_getTransactionReceipt', null],
  ['eth_call', `0x${'0'.repeat(64)}`],
  ['eth_maxPriorityFeePerGas', '0x0'],
  ['eth_estimateGas', '0x1'],
]);
