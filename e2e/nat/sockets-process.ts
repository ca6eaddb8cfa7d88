// Plain sockets at a place of a lab, for tests of the lab itself: does what it is told on standard input, one JSON a line, and
// says what came of it, and what its sockets hear, on standard output.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { orderSchema, type Said, type SocketOrder } from './sockets-messages.ts';

const sockets: ReturnType<typeof createSocket>[] = [];

for await (const line of createInterface(process.stdin)) {
  say({ kind: 'answer', ...(await obey(orderSchema.parse(JSON.parse(line)))) });
}
// Open sockets would keep it alive when the test that gave the orders is dead.
process.exit(0);

function say(said: Said): void {
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

async function obey(order: SocketOrder): Promise<{ number?: number; text?: string }> {
  switch (order.kind) {
    case 'bind': {
      const socket = createSocket({ type: order.family === 4 ? 'udp4' : 'udp6', recvBufferSize: 4_000_000 });
      const number = sockets.push(socket) - 1;
      socket.on('message', (data, { address, port }) =>
        say({ kind: 'heard', socket: number, text: data.toString(), host: address, port }),
      );
      socket.bind(order.port);
      await once(socket, 'listening');
      return { number, text: String(socket.address().port) };
    }
    case 'send': {
      const { texts, port, host } = order;
      for (const text of texts) {
        const failed = await new Promise<Error | null | undefined>((resolve) => {
          sockets[order.socket]?.send(text, port, host, (error) => resolve(error));
        });
        if (failed) return { text: codeOf(failed) };
      }
      return {};
    }
    case 'listen': {
      // Says to each who connects how it looks from here.
      const server = createServer((peer) => peer.end(String(peer.remoteAddress))).listen(0);
      await once(server, 'listening');
      const address = server.address();
      return typeof address === 'object' && address !== null ? { number: address.port } : {};
    }
    case 'connect': {
      const peer = connect(order.port, order.host);
      try {
        await once(peer, 'connect');
        const [text] = await once(peer.setEncoding('utf8'), 'data');
        return { text: String(text) };
      } catch (thrown) {
        return { text: codeOf(thrown) };
      }
    }
    default:
      return order satisfies never;
  }
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
}
