import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { LatentError } from '@latent/protocol';
import { answerAsked } from '../harness/start-process.ts';
import { type GatesAsked, type GatesTold, gatesAskedSchema } from './notes.ts';

// Stands before the book and before the listener's UDP port, and breaks what goes through.

let bookPort = 0;
let listenerPort = 0;
let isBlocked = false;
const open = new Set<Socket>();

const server = createServer({ noDelay: true }, (front) => {
  const back = connect({ port: bookPort, host: '127.0.0.1', noDelay: true });
  for (const [from, to] of [
    [front, back],
    [back, front],
  ] as const) {
    open.add(from);
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      open.delete(from);
      to.destroy();
    });
  }
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
if (address === null || typeof address === 'string') throw new LatentError('INTERNAL', 'A TCP server without a port.');

/** By which a sender reaches the listener, like a NAT; forgotten when nothing came for long. */
const backs = new Map<number, UdpSocket>();
const MAX_BACKS = 256;
const front = createSocket('udp4');
front.on('message', (packet, { port }) => {
  if (!isBlocked) backOf(port).send(packet, listenerPort, '127.0.0.1');
});
front.bind(0, '127.0.0.1');
await once(front, 'listening');

answerAsked<GatesAsked, GatesTold>(
  gatesAskedSchema,
  { kind: 'ready', bookPort: address.port, udpPort: front.address().port },
  async (asked) => {
    switch (asked.kind) {
      case 'lead':
        bookPort = asked.bookPort;
        listenerPort = asked.listenerPort;
        break;
      case 'cut':
        for (const socket of open) socket.destroy();
        break;
      case 'block':
        isBlocked = asked.isBlocked;
        break;
      default:
        asked satisfies never;
    }
    return { kind: 'done' };
  },
);

function backOf(port: number): UdpSocket {
  const known = backs.get(port);
  if (known !== undefined) return known;
  const [oldest] = backs;
  if (backs.size >= MAX_BACKS && oldest !== undefined) {
    oldest[1].close();
    backs.delete(oldest[0]);
  }
  const back = createSocket('udp4');
  back.on('message', (packet) => {
    if (!isBlocked) front.send(packet, port, '127.0.0.1');
  });
  backs.set(port, back);
  return back;
}
