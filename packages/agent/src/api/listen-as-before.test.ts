import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeyPair, createPeerTransport } from '@latent/transport';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listenAsBefore } from './listen-as-before.ts';

const address = '127.0.0.1';
let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'latent-agent-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** One life of an agent: listens, ends, and says where it was. */
async function live(port = 0): Promise<string | undefined> {
  const transport = createPeerTransport({ keyPair: createKeyPair(new Uint8Array(32).fill(7)) });
  const { hints } = await listenAsBefore(transport, (stream) => stream.destroy(), {
    dataDir,
    listenAddress: address,
    port,
  });
  await transport.close();
  return hints[0];
}

async function takePort(port: number): Promise<Socket> {
  const socket = createSocket('udp4').bind(port, address);
  await once(socket, 'listening');
  return socket;
}

it('is found again where it was before', async () => {
  const first = await live();
  expect(await live()).toBe(first);
});

it('takes another port when the last one has been taken', async () => {
  const first = await live();
  const other = await takePort(Number(first?.split(':').at(-1)));
  try {
    const second = await live();
    expect(second).not.toBe(first);
    expect(readFileSync(join(dataDir, 'port'), 'utf8')).toBe(`${second?.split(':').at(-1)}\n`);
  } finally {
    other.close();
  }
});

it('goes to any port when the file makes no sense', async () => {
  for (const text of ['', 'x\n', '99999\n', '-1\n']) {
    writeFileSync(join(dataDir, 'port'), text);
    expect(await live()).toMatch(/^udp:\/\/127\.0\.0\.1:\d+$/);
  }
});

it('uses no other port than the one that the options name', async () => {
  const first = await live();
  const port = Number(first?.split(':').at(-1));
  const other = await takePort(port);
  try {
    await expect(live(port)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  } finally {
    other.close();
  }
});
