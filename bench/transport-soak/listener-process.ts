import { createKeyPair, createPeerTransport, type EncryptedStream } from '@latent/transport';
import { answerAsked, readSetup } from '../harness/start-process.ts';
import { type ListenerTold, listenerSetupSchema, type SampleAsked, sampleAskedSchema } from './notes.ts';
import { SOAK_TIMES } from './soak-times.ts';
import { takeSample } from './take-sample.ts';

// The peer that everybody dials. It sends everything back.

const MANY = 10_000;
const { seed, book } = readSetup(listenerSetupSchema);
const transport = createPeerTransport({
  keyPair: createKeyPair(Buffer.from(seed, 'hex')),
  books: [book],
  times: SOAK_TIMES,
  limits: { maxConnections: MANY, maxConnectionsPerAddress: MANY, maxHandshakes: MANY },
});
const listener = await transport.listen((stream) => void echo(stream), { address: '127.0.0.1', port: 0 });
answerAsked<SampleAsked, ListenerTold>(sampleAskedSchema, { kind: 'ready', port: listener.port }, async () => ({
  kind: 'sampled',
  sample: await takeSample(),
}));

async function echo(stream: EncryptedStream): Promise<void> {
  stream.onDatagram((bytes) => stream.sendDatagram(bytes));
  try {
    for await (const message of stream.messages()) await stream.send(message);
    await stream.end();
  } catch {
    // Dropped by the other side, which knows.
    stream.destroy();
  }
}
