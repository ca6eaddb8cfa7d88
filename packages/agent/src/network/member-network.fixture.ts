import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { silentLogger, systemClock } from '@latent/kit';
import { LatentError, type LeaseId, leaseIdSchema, type PeerKey } from '@latent/protocol';
import { createKeyPair, createPeerTransport, type PeerAddress, type Transport } from '@latent/transport';
import { afterEach } from 'vitest';
import { type MemberNetwork, openMemberNetwork } from './member-network.ts';

/** What tests of whole networks have in common. What is made is removed after each test. */
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export const addressOf = (rank: number): string => `100.84.0.${rank + 1}`;

export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latent-network-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function anyLease(): LeaseId {
  return leaseIdSchema.parse(`0x${randomBytes(32).toString('hex')}`);
}

export interface TestMember {
  readonly network: MemberNetwork;
  readonly transport: Transport;
  readonly peer: PeerAddress;
  readonly stateDir: string;
  /** Resolves when it has a stream to each other rank. */
  linked(): Promise<void>;
}

/**
 * Members of one network in this process, over UDP on loopback. Streams of keys that are no member's are dropped, as the agent does.
 * @param elsewhere keys of further members, which dial these
 */
export async function openMembers(count: number, elsewhere: readonly PeerKey[] = []): Promise<readonly TestMember[]> {
  const folder = await makeFolder();
  const members: TestMember[] = [];
  const rankOf = new Map(elsewhere.map((key, index) => [key, count + index]));
  const all = Array.from({ length: count + elsewhere.length }, (_, rank) => ({ rank, address: addressOf(rank) }));
  const ends = await Promise.all(
    all.slice(0, count).map(async ({ rank }) => {
      const transport = createPeerTransport({ keyPair: createKeyPair(randomBytes(32)) });
      cleanups.push(() => transport.close());
      rankOf.set(transport.key, rank);
      const at = { address: '127.0.0.1', port: 0 };
      const { hints } = await transport.listen((stream) => {
        const [from, member] = [rankOf.get(stream.remoteKey), members[rank]];
        if (from === undefined || member === undefined) stream.destroy();
        else member.network.accept(from, stream);
      }, at);
      return { transport, peer: { key: transport.key, hints } };
    }),
  );
  for (const [rank, { transport, peer }] of ends.entries()) {
    const stateDir = join(folder, String(rank));
    const plan = { leaseId: anyLease(), rank, address: addressOf(rank), prefixLength: 16 };
    const network = await openMemberNetwork(
      { ...plan, others: all.filter((other) => other.rank !== rank) },
      {
        stateDir,
        logger: silentLogger,
        clock: systemClock,
        signal: new AbortController().signal,
        openStream: async (other) => {
          const to = ends[other];
          if (to === undefined) throw new LatentError('PEER_UNREACHABLE', 'That rank dials.');
          return await transport.connect(to.peer, { signal: AbortSignal.timeout(10_000) });
        },
      },
    );
    cleanups.push(() => network.close());
    const linked = async () => {
      while (network.ways().some(({ stream }) => stream === undefined)) await new Promise(setImmediate);
    };
    members.push({ network, transport, peer, stateDir, linked });
  }
  return members;
}

export interface TestProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  /** Its next line. @throws when it ends instead */
  line(): Promise<string>;
}

export function startProcess(command: readonly string[]): TestProcess {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const exited = once(child, 'exit');
  cleanups.push(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return {
    child,
    line: async () => {
      const next = await lines.next();
      if (next.done === true) throw new Error(`${command.join(' ')} has ended`);
      return next.value;
    },
  };
}

/** Starts `tcp-end.fixture.ts` in a namespace. @param within beginning of a command, where that is not enough */
export function startTcpEnd(
  namespacePath: string | undefined,
  within: readonly string[] = namespacePath === undefined ? [] : ['nsenter', `--net=${namespacePath}`, '--'],
): (order: string) => Promise<string> {
  const program = [process.execPath, fileURLToPath(new URL('./tcp-end.fixture.ts', import.meta.url))];
  const { child, line } = startProcess([...within, ...program]);
  return async (order) => {
    child.stdin.write(`${order}\n`);
    return await line();
  };
}

/** Has an end listen on the address. Gives the port. */
export async function listenAt(end: (order: string) => Promise<string>, address: string): Promise<string> {
  return (await end(`listen ${address}`)).replace('listening ', '');
}
