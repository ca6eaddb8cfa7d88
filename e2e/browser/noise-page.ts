import NoiseSecretStream from '@hyperswarm/secret-stream';
import { type PageCommand, pageCommandSchema, pageSetupSchema } from './page-command.ts';
import { WebSocketBytes } from './web-socket-bytes.ts';

const script = new URL(import.meta.url);
const setup = pageSetupSchema.parse(Object.fromEntries(script.searchParams));

async function openSocket(): Promise<WebSocketBytes> {
  const socket = new WebSocket(`ws://${script.host}/${setup.speak}`);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error('the WebSocket does not open')));
  });
  return new WebSocketBytes(socket);
}

async function openNoise(raw: WebSocketBytes): Promise<NoiseSecretStream> {
  const seed = Uint8Array.from(setup.seed.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  const keyPair = NoiseSecretStream.keyPair(seed);
  const stream = new NoiseSecretStream(true, raw, { keyPair, pattern: 'XX', enableSend: false });
  if (!(await stream.opened)) throw new Error('the handshake failed');
  const proven = Array.from(stream.remotePublicKey ?? [], (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (proven !== setup.expect) {
    stream.destroy();
    throw new Error(`the other end proved the key ${proven}`);
  }
  return stream;
}

/** Carries out commands until the page is closed. */
function obey(stream: NoiseSecretStream | WebSocketBytes): void {
  let command: PageCommand | undefined;
  let left = 0;
  let drained = Promise.withResolvers<void>();
  stream.on('drain', () => drained.resolve());

  const send = async (message: Uint8Array) => {
    drained = Promise.withResolvers();
    if (!stream.write(message)) await drained.promise;
  };
  const begin = async (next: PageCommand) => {
    command = next;
    left = next.do === 'receive' ? next.bytes : next.messages;
    if (next.do !== 'send') return;
    for (; left > 0; left -= 1) await send(new Uint8Array(next.bytes));
  };
  const take = (message: Uint8Array): Promise<void> => {
    if (left <= 0) return begin(pageCommandSchema.parse(JSON.parse(new TextDecoder().decode(message))));
    if (command?.do === 'echo') {
      left -= 1;
      return send(message.slice());
    }
    left -= message.byteLength;
    return left === 0 ? send(Uint8Array.of(1)) : Promise.resolve();
  };
  stream.on('data', (message) => void take(message).catch(tell));
}

async function main(): Promise<void> {
  const raw = await openSocket();
  obey(setup.speak === 'noise' ? await openNoise(raw) : raw);
}

async function tell(error: unknown): Promise<void> {
  await fetch('/failure', { method: 'POST', body: String(error) });
}

void main().catch(tell);
