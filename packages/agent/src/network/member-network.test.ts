import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createKeyPair, createPeerTransport } from '@latent/transport';
import { describe, expect, test } from 'vitest';
import {
  addressOf,
  anyLease,
  listenAt,
  makeFolder,
  openMembers,
  startProcess,
  startTcpEnd,
} from './member-network.fixture.ts';
import { probeNetwork } from './probe-network.ts';

const probe = await probeNetwork({ signal: AbortSignal.timeout(30_000) });
const isRoot = process.getuid?.() === 0;
const missing = probe.usable
  ? isRoot
    ? ''
    : ' (skipped: tests enter namespaces as root)'
  : ` (skipped: ${probe.reason})`;

const MEBIBYTE = 1 << 20;

describe.skipIf(missing !== '')(`a private network${missing}`, { timeout: 60_000 }, () => {
  test('carries TCP between each two of its members, whole and both ways', async () => {
    const members = await openMembers(3);
    await Promise.all(members.map(({ linked }) => linked()));
    const ends = members.map(({ network }) => startTcpEnd(network.namespacePath));
    const ports = await Promise.all(ends.map((end, rank) => listenAt(end, addressOf(rank))));
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ] as const) {
      expect(await ends[from]?.(`connect ${addressOf(to)} ${ports[to]}`)).toBe('connected');
      expect(await ends[from]?.(`push ${4 * MEBIBYTE}`)).toBe('same');
    }
    for (const { network } of members)
      expect(network.ways().map(({ receivedBytes }) => receivedBytes > 0)).toEqual([true, true]);
  });

  test('leads to nothing but its members: no service of the machine, no address beyond, no rank that is not there', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const at = server.address();
    const port = typeof at === 'object' ? at?.port : undefined;
    try {
      const [member] = await openMembers(1);
      expect(await startTcpEnd(undefined)(`connect 127.0.0.1 ${port}`)).toBe('connected');
      const end = startTcpEnd(member?.network.namespacePath);
      expect(await end(`connect 127.0.0.1 ${port}`)).toBe('ECONNREFUSED');
      expect(await end(`connect 198.51.100.1 ${port}`)).toBe('ENETUNREACH');
      const own = await listenAt(end, addressOf(0));
      expect(await end(`connect ${addressOf(0)} ${own}`)).toBe('connected');
    } finally {
      server.close();
    }
  });

  test('lets in nobody who is not a member, whatever they send', async () => {
    const [zero, one] = await openMembers(2);
    await zero?.linked();
    const stranger = createPeerTransport({ keyPair: createKeyPair(randomBytes(32)) });
    try {
      const stream = await stranger.connect(zero?.peer ?? expect.unreachable(), {
        signal: AbortSignal.timeout(10_000),
      });
      await stream.send(randomBytes(1_000)).catch(() => undefined);
      await stream.closed;
    } finally {
      await stranger.close();
    }
    await one?.linked();
    expect(zero?.network.ways()).toMatchObject([{ rank: 1, receivedBytes: 0, droppedPackets: 0 }]);
  });

  test('keeps a TCP connection over the death of an agent, which takes up the same namespace', async () => {
    const seed = randomBytes(32);
    const [zero] = await openMembers(1, [createKeyPair(seed).key]);
    const setup = {
      seed: seed.toString('hex'),
      stateDir: join(await makeFolder(), 'one'),
      leaseId: anyLease(),
      peer: zero?.peer,
    };
    const start = async () => {
      const agent = startProcess([process.execPath, PROGRAM, JSON.stringify(setup)]);
      const namespacePath = await agent.line();
      expect(await agent.line()).toBe('linked');
      return { ...agent, namespacePath };
    };
    const first = await start();
    const server = startTcpEnd(zero?.network.namespacePath);
    const port = await listenAt(server, addressOf(0));
    const client = startTcpEnd(first.namespacePath);
    expect(await client(`connect ${addressOf(0)} ${port}`)).toBe('connected');
    expect(await client('say before')).toBe('before');
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    const meanwhile = client('say sent while nobody carries packets');
    const second = await start();
    expect(second.namespacePath).toBe(first.namespacePath);
    expect(await meanwhile).toBe('sent while nobody carries packets');
    expect(await client(`push ${MEBIBYTE}`)).toBe('same');
    second.child.stdin.end();
    await once(second.child, 'exit');
    expect(existsSync(second.namespacePath)).toBe(false);
  });

  test('leaves no namespace and no process behind, and may be closed twice', async () => {
    const [member] = await openMembers(1);
    const path = member?.network.namespacePath ?? expect.unreachable();
    const name = readlinkSync(path);
    expect(namespacesInUse()).toContain(name);
    await member?.network.close();
    await member?.network.close();
    expect(existsSync(path)).toBe(false);
    expect(namespacesInUse()).not.toContain(name);
    expect(readdirSync(member?.stateDir ?? '')).toEqual([]);
  });
});

const PROGRAM = fileURLToPath(new URL('./member-process.fixture.ts', import.meta.url));

/** The network namespaces that processes are in, by the kernel's names. */
function namespacesInUse(): readonly string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      return [readlinkSync(`/proc/${pid}/ns/net`)];
    } catch {
      return [];
    }
  });
}
