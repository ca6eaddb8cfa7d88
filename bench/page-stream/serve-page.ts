import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import NoiseSecretStream from '@hyperswarm/secret-stream';
import { createKeyPair, createPeerTransport, type EncryptedStream } from '@latent/transport';
import { noiseInBrowsers } from '@latent/transport/vite';
import { build } from 'vite';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { PageCommand, PageKind, PageSetup } from './page-command.ts';

/** Our end of the page's channel. */
export interface PageChannel {
  /** Resolves when there is room for the next one. */
  send(message: Uint8Array): Promise<void>;
  onMessage: (message: Uint8Array) => void;
}

export interface ServePageOptions {
  readonly speak: PageKind;
  /** 32 bytes each: what the key pairs of the page and of this end are made from. */
  readonly seeds: { readonly page: Uint8Array; readonly node: Uint8Array };
  /** URL of the book that relays. */
  readonly book: string;
}

export interface ServedPage {
  /** To be shown in a browser. */
  readonly url: string;
  /** Once the page is connected. */
  readonly channel: Promise<PageChannel>;
  /** Rejects with what the page says when it fails. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

const DOCUMENT = '<!doctype html><meta charset="utf-8"><script type="module" src="/load.js"></script>';
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Serves a page that speaks with this process and does what it is told (`page-command.ts`). */
export async function servePage({ speak, seeds, book }: ServePageOptions): Promise<ServedPage> {
  const scripts = await buildPage();
  const keyPair = createKeyPair(seeds.node);
  const setup: PageSetup = { speak, seed: toHex(seeds.page), expect: keyPair.key.slice(2), book };
  // From a script of its own, so that a page that cannot even be loaded says so.
  const told = "catch((error) => fetch('/failure', { method: 'POST', body: String(error) }))";
  scripts.set('/load.js', `import('/page.js?${new URLSearchParams(setup)}').${told};`);
  const channel = Promise.withResolvers<PageChannel>();
  const failure = Promise.withResolvers<never>();
  for (const { promise } of [channel, failure]) promise.catch(() => undefined);

  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://page');
    if (pathname !== '/failure') return serve(response, scripts.get(pathname));
    failure.reject(new Error(await text(request)));
    response.end();
  });
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket) => {
    const opened = speak === 'noise' ? openNoise(socket, seeds.node) : Promise.resolve(openPlain(socket));
    opened.then(channel.resolve, channel.reject);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const transport = createPeerTransport({ keyPair, books: speak === 'relayed' ? [book] : [] });
  const onStream = (stream: EncryptedStream) => channel.resolve(openRelayed(stream, failure.reject));
  await (await transport.listen(onStream, { address: '127.0.0.1', port: 0 })).settled;
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${port}/`,
    channel: channel.promise,
    failed: failure.promise,
    close: async () => {
      await transport.close();
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Tells the page what to do next. */
export function tellPage(channel: PageChannel, command: PageCommand): Promise<void> {
  return channel.send(Buffer.from(JSON.stringify(command)));
}

async function buildPage(): Promise<Map<string, string>> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [noiseInBrowsers()],
    build: {
      write: false,
      lib: { entry: fileURLToPath(import.meta.resolve('./page.ts')), formats: ['es'], fileName: () => 'page.js' },
    },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((one) => ('output' in one ? one.output : []));
  return new Map(outputs.flatMap((file) => (file.type === 'chunk' ? [[`/${file.fileName}`, file.code] as const] : [])));
}

function serve(response: ServerResponse, script: string | undefined): void {
  response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript').end(script ?? DOCUMENT);
}

function openRelayed(stream: EncryptedStream, fail: (reason: unknown) => void): PageChannel {
  const channel: PageChannel = { send: (message) => stream.send(message), onMessage: () => undefined };
  const read = async () => {
    for await (const message of stream.messages()) channel.onMessage(message);
  };
  void read().catch(fail);
  return channel;
}

async function openNoise(socket: WebSocket, seed: Uint8Array): Promise<PageChannel> {
  const raw = createWebSocketStream(socket);
  const keyPair = NoiseSecretStream.keyPair(seed);
  const stream = new NoiseSecretStream(false, raw, { keyPair, pattern: 'XX', enableSend: false });
  stream.on('error', () => undefined);
  if (!(await stream.opened)) throw new Error('the handshake with the page failed');
  let drained = Promise.withResolvers<void>();
  stream.on('drain', () => drained.resolve());
  const channel: PageChannel = {
    send: async (message) => {
      drained = Promise.withResolvers();
      if (!stream.write(message)) await drained.promise;
    },
    onMessage: () => undefined,
  };
  stream.on('data', (message) => channel.onMessage(message));
  return channel;
}

function openPlain(socket: WebSocket): PageChannel {
  const channel: PageChannel = {
    send: (message) =>
      new Promise((resolve, reject) => socket.send(message, (error) => (error ? reject(error) : resolve()))),
    onMessage: () => undefined,
  };
  socket.on('message', (data) => channel.onMessage(z.instanceof(Buffer).parse(data)));
  return channel;
}
