import { createKeyPair } from '../key-pair.ts';
import type { EncryptedStream } from '../transport.ts';
import { createPeerTransport } from './peer-transport.ts';

/** A peer in a process of its own, to be killed: `node echo-process.fixture.ts <byte of its seed> <port>`. Sends back what it is sent. */
const [byte = 0, port = 0] = process.argv.slice(2).map(Number);

async function echo(stream: EncryptedStream): Promise<void> {
  for await (const message of stream.messages()) await stream.send(message);
  await stream.end();
}

const transport = createPeerTransport({ keyPair: createKeyPair(new Uint8Array(32).fill(byte)) });
const listener = await transport.listen((stream) => void echo(stream).catch(() => undefined), {
  address: '127.0.0.1',
  port,
});
await listener.settled;
process.stdout.write(`${listener.port}\n`);
