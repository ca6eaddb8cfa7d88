import NoiseSecretStream from '@hyperswarm/secret-stream';
import { peerKeySchema } from '@latent/protocol';
import { createBrowserTransport, createKeyPair } from '@latent/transport/browser';
import { pageCommandSchema, pageSetupSchema } from './page-command.ts';
import { WebSocketBytes } from './web-socket-bytes.ts';

/** The page's end of what is measured. */
interface PageEnd {
  /** Resolves when there is room for the next one. */
  readonly send: (message: Uint8Array) => Promise<void>;
  readonly listen: (onMessage: (message: Uint8Array) => Promise<void>) => void;
}

const script = new URL(import.meta.url);
const setup = pageSetupSchema.parse(Object.fromEntries(script.searchParams));
const seed = Uint8Array.from(setup.seed.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

async function openEnd(): Promise<PageEnd> {
  switch (setup.speak) {
    case 'relayed':
      return await openRelayed();
    case 'noise':
      return fromStream(await openNoise(await openSocket()));
    case 'plain':
      return fromStream(await openSocket());
    default:
      return setup.speak satisfies never;
  }
}

async function openRelayed(): Promise<PageEnd> {
  const transport = createBrowserTransport({ keyPair: createKeyPair(seed) });
  const peer = { key: peerKeySchema.parse(`0x${setup.expect}`), hints: [`book+${setup.book}`] };
  const stream = await transport.connect(peer, { signal: new AbortController().signal });
  return {
    send: (message) => stream.send(message),
    listen: (onMessage) => {
      const read = async () => {
        for await (const message of stream.messages()) await onMessage(message);
      };
      void read().catch(tell);
    },
  };
}

async function openSocket(): Promise<WebSocketBytes> {
  const socket = new WebSocket(`ws://${script.host}/${setup.speak}`);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error('the WebSocket does not open')));
  });
  return new WebSocketBytes(socket);
}

async function openNoise(raw: WebSocketBytes): Promise<NoiseSecretStream> {
  const keyPair = NoiseSecretStream.keyPair(seed);
  const stream = new NoiseSecretStream(true, raw, { keyPair, pattern: 'XX', enableSend: false });
  if (!(await stream.opened)) throw new Error('the handshake failed');
  return stream;
}

function fromStream(stream: NoiseSecretStream | WebSocketBytes): PageEnd {
  let drained = Promise.withResolvers<void>();
  stream.on('drain', () => drained.resolve());
  return {
    send: async (message) => {
      drained = Promise.withResolvers();
      if (!stream.write(message)) await drained.promise;
    },
    listen: (onMessage) => {
      stream.on('data', (message) => void onMessage(message).catch(tell));
    },
  };
}

/** Carries out commands until the page is closed. */
function obey({ send, listen }: PageEnd): void {
  let left = 0;
  listen(async (message) => {
    if (left > 0) {
      left -= message.byteLength;
      if (left === 0) await send(Uint8Array.of(1));
      return;
    }
    const command = pageCommandSchema.parse(JSON.parse(new TextDecoder().decode(message)));
    if (command.do === 'receive') left = command.bytes;
    else for (let sent = 0; sent < command.messages; sent += 1) await send(new Uint8Array(command.bytes));
  });
}

async function tell(error: unknown): Promise<void> {
  await fetch('/failure', { method: 'POST', body: String(error) });
}

void openEnd().then(obey).catch(tell);
