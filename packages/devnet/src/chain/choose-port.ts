import { once } from 'node:events';
import { createServer } from 'node:net';
import { hasCode } from '../files/has-code.ts';

const HOST = '127.0.0.1';

/** A free port of the loopback interface: `preferred` if it is free, any other one if not. */
export async function choosePort(preferred?: number): Promise<number> {
  return (preferred === undefined ? undefined : await tryPort(preferred)) ?? (await tryPort(0)) ?? choosePort();
}

async function tryPort(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen({ host: HOST, port, exclusive: true });
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  } catch (thrown) {
    if (hasCode(thrown, 'EADDRINUSE') || hasCode(thrown, 'EACCES')) return undefined;
    throw thrown;
  } finally {
    server.close();
  }
}
