// Everything that a machine's network leads to, as a program for tests to run in a namespace: greets every TCP connection at the port given,
// at every address that the namespace has, and answers each name with the address that is its beginning (`10.0.0.1.test`).

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.pipe(socket);
}).listen(Number(process.argv[2]), '0.0.0.0');
await once(server, 'listening');

const resolver = createSocket('udp4');
resolver.on('message', (query, from) => {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const question = query.subarray(12, at + 5);
  const header = Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...labels.slice(0, 4).map(Number)]);
  resolver.send(Buffer.concat([header, question, record]), from.port, from.address);
});
resolver.bind(53, '0.0.0.0');
await once(resolver, 'listening');
process.stdout.write('up\n');
