import type { WayName } from './notes.ts';

export const WAY_TITLES: Readonly<Record<WayName, string>> = {
  direct: 'peer transport, direct (UDP)',
  relayed: 'peer transport, relayed by a book',
  tcp: 'tcp transport',
  wss: 'wss (ws, TLS 1.3)',
  udx: 'UDX and secret-stream alone',
};
