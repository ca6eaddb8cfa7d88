// One end of TCP connections, as a program for tests to run in a network namespace. Orders are lines of the input, each answered by one.
//   listen ADDRESS          listening PORT       sends every byte back
//   connect ADDRESS PORT    connected, or the error's code
//   say TEXT                what came back on the connection
//   push BYTES              so many random bytes there and back: same, or different

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

let connection: Socket | undefined;

for await (const line of createInterface(process.stdin)) process.stdout.write(`${await obey(line.split(' '))}\n`);

async function obey([verb = '', ...words]: readonly string[]): Promise<string> {
  try {
    if (verb === 'listen') return await listen(words[0] ?? '');
    if (verb === 'connect') return await open(words[0] ?? '', Number(words[1]));
    if (verb === 'say') return String(await thereAndBack(Buffer.from(words.join(' '))));
    return await push(Number(words[0]));
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

async function listen(address: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, address);
  await once(server, 'listening');
  const at = server.address();
  return typeof at === 'object' ? `listening ${at?.port}` : 'no port';
}

async function open(address: string, port: number): Promise<string> {
  connection = connect(port, address);
  await once(connection, 'connect');
  return 'connected';
}

async function push(bytes: number): Promise<string> {
  const sent = randomBytes(bytes);
  const back = await thereAndBack(sent);
  const digest = (of: Uint8Array) => createHash('sha256').update(of).digest('hex');
  return digest(back) === digest(sent) ? 'same' : 'different';
}

async function thereAndBack(bytes: Uint8Array): Promise<Buffer> {
  if (connection === undefined) throw new Error('no connection');
  connection.write(bytes);
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < bytes.byteLength) {
    const [chunk] = await once(connection, 'data');
    chunks.push(chunk);
    length += chunk.byteLength;
  }
  return Buffer.concat(chunks);
}
