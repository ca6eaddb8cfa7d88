import { existsSync } from 'node:fs';
import NoiseSecretStream from '@hyperswarm/secret-stream';
import { afterEach, describe, expect, it } from 'vitest';
import { CHROMIUM, openInChromium } from './browser/chromium.ts';
import { type NoisePageOptions, serveNoisePage, tellPage } from './browser/serve-noise-page.ts';

const seeds = { page: Buffer.alloc(32, 1), node: Buffer.alloc(32, 2) };
const sizes = [0, 1, 15, 16, 17, 64, 65, 1_000, 65_536, 262_144, 700_000];

describe.skipIf(!existsSync(CHROMIUM))('encrypted streams in a browser (needs chromium)', () => {
  const open: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((close) => close()));
  });

  async function connectPage(options: NoisePageOptions) {
    const page = await serveNoisePage(options);
    open.push(page.close);
    const browser = await openInChromium(page.url);
    open.push(browser.close);
    return { opened: page.channel, failed: Promise.race([page.failed, browser.failed]) };
  }

  it('prove a key to Node and carry messages both ways over a WebSocket, byte by byte', async () => {
    const { opened, failed } = await connectPage({ speak: 'noise', seeds });
    const channel = await Promise.race([opened, failed]);
    const pageKey = NoiseSecretStream.keyPair(seeds.page).publicKey;
    expect(channel.remoteKey).toBe(Buffer.from(pageKey).toString('hex'));

    const messages = sizes.map((size, index) =>
      Buffer.from(Array.from({ length: size }, (_, at) => (at * 31 + index) % 251)),
    );
    const echoes: Buffer[] = [];
    const echoed = new Promise<void>((resolve) => {
      channel.onMessage = (message) => {
        echoes.push(Buffer.from(message));
        if (echoes.length === messages.length) resolve();
      };
    });
    await tellPage(channel, { do: 'echo', messages: messages.length });
    for (const message of messages) await channel.send(message);
    await Promise.race([echoed, failed]);
    expect(echoes.map((echo) => echo.byteLength)).toEqual(sizes);
    expect(Buffer.concat(echoes).equals(Buffer.concat(messages))).toBe(true);
  });

  it('are given up by a page that meets another key than it expects', async () => {
    const { failed } = await connectPage({ speak: 'noise', seeds, expect: '0'.repeat(64) });
    const nodeKey = Buffer.from(NoiseSecretStream.keyPair(seeds.node).publicKey).toString('hex');
    await expect(failed).rejects.toThrow(`the other end proved the key ${nodeKey}`);
  });
});
