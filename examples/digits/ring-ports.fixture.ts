import { createServer } from 'node:net';

/** Loopback addresses, one for each rank: 127.0.0.1, 127.0.0.2, … */
export function loopbackAddresses(ranks: number): string[] {
  return Array.from({ length: ranks }, (_, rank) => `127.0.0.${rank + 1}`);
}

/** A port that nothing listens on at any of the loopback addresses. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
