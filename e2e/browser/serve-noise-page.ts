import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import NoiseSecretStream from '@hyperswarm/secret-stream';
import { noiseInBrowsers } from '@latent/transport/vite';
import { build } from 'vite';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { PageCommand, PageSetup } from './page-command.ts';

/** Our end of the page's channel. */
export interface PageChannel {
  /** The key that the page proved, as hex; undefined when it speaks without encryption. */
  readonly remoteKey: string | undefined;
  /** Resolves when there is room for the next one. */
  send(message: Uint8Array): Promise<void>;
  onMessage: (message: Uint8Array) => void;
}

export interface NoisePageOptions {
  readonly speak: PageSetup['speak'];
  /** 32 bytes each: what the key pairs of the page and of this end are made from. */
  readonly seeds: { readonly page: Uint8Array; readonly node: Uint8Array };
  /** The key that the page expects here; this end's own, if undefined. */
  readonly expect?: string;
}

export interface NoisePage {
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

/** Serves a page that speaks with this process over a WebSocket on loopback and does what it is told (`page-command.ts`). */
export async function serveNoisePage({ speak, seeds, expect }: NoisePageOptions): Promise<NoisePage> {
  const keyPair = NoiseSecretStream.keyPair(seeds.node);
  const scripts = await buildPage();
  const setup: PageSetup = { speak, seed: toHex(seeds.page), expect: expect ?? toHex(keyPair.publicKey) };
  // From a script of its own, so that a page that cannot even be loaded says so.
  const told = "catch((error) => fetch('/failure', { method: 'POST', body: String(error) }))";
  scripts.set('/load.js', `import('/page.js?${new URLSearchParams(setup)}').${told};`);
  const channel = Promise.withResolvers<PageChannel>();
  const failure = Promise.withResolvers<never>();
  for (const { promise } of [channel, failure]) promise.catch(() => undefined);

  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://page');
    if (pathname !== '/failure') return serve(response, scripts.get(pathname));
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    response.end();
    failure.reject(new Error(Buffer.concat(parts).toString()));
  });
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket) => {
    const opened = speak === 'noise' ? openNoise(socket, keyPair) : Promise.resolve(openPlain(socket));
    opened.then(channel.resolve, channel.reject);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${port}/`,
    channel: channel.promise,
    failed: failure.promise,
    close: async () => {
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
  const entry = fileURLToPath(import.meta.resolve('./noise-page.ts'));
  const built = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [noiseInBrowsers()],
    build: { write: false, lib: { entry, formats: ['es'], fileName: () => 'page.js' } },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((one) => ('output' in one ? one.output : []));
  return new Map(outputs.flatMap((file) => (file.type === 'chunk' ? [[`/${file.fileName}`, file.code] as const] : [])));
}

function serve(response: ServerResponse, script: string | undefined): void {
  // The strictest policy that a page with encrypted streams can have.
  response.setHeader('content-security-policy', "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'");
  if (script !== undefined) response.setHeader('content-type', 'text/javascript').end(script);
  else response.setHeader('content-type', 'text/html').end(DOCUMENT);
}

async function openNoise(
  socket: WebSocket,
  keyPair: ReturnType<typeof NoiseSecretStream.keyPair>,
): Promise<PageChannel> {
  const raw = createWebSocketStream(socket);
  const stream = new NoiseSecretStream(false, raw, { keyPair, pattern: 'XX', enableSend: false });
  stream.on('error', () => undefined);
  if (!(await stream.opened)) throw new Error('the handshake with the page failed');
  let drained = Promise.withResolvers<void>();
  stream.on('drain', () => drained.resolve());
  const channel: PageChannel = {
    remoteKey: toHex(stream.remotePublicKey ?? new Uint8Array()),
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
    remoteKey: undefined,
    send: (message) =>
      new Promise((resolve, reject) => socket.send(message, (error) => (error ? reject(error) : resolve()))),
    onMessage: () => undefined,
  };
  socket.on('message', (data) => channel.onMessage(z.instanceof(Buffer).parse(data)));
  return channel;
}
