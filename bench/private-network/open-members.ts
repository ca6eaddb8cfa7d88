import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LatentError } from '@latent/protocol';
import { startProcess } from '../harness/start-process.ts';
import { type ForwarderAsked, type ForwarderTold, forwarderToldSchema } from '../transport/forwarder-notes.ts';
import type { Shape } from '../transport/start-pair.ts';
import { addressOf } from './addresses.ts';
import { type MemberAsked, type MemberTold, memberToldSchema } from './notes.ts';
import { openTcpWay, type Way } from './way.ts';

export interface MembersWish {
  readonly title: string;
  readonly way: 'direct' | 'tcp';
  /** What stands between the two, for `direct`. */
  readonly shape?: Shape;
}

/** Two members of a private network, each agent a process, of which the first dials. */
export async function openMembers({ title, way, shape }: MembersWish, signal: AbortSignal): Promise<Way> {
  const folder = await mkdtemp(join(tmpdir(), 'latent-bench-network-'));
  const cleanups = [() => rm(folder, { recursive: true, force: true })];
  const carried = async () => {
    for (const cleanup of cleanups.toReversed()) await cleanup();
  };
  try {
    const seeds = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')] as const;
    const start = async (rank: 0 | 1) => {
      const member = await startProcess<MemberAsked, MemberTold>({
        file: new URL('./member-process.ts', import.meta.url),
        setup: { rank, seed: seeds[rank], way, stateDir: join(folder, String(rank)) },
        told: memberToldSchema,
        signal,
      });
      cleanups.push(async () => {
        await member.ask({ kind: 'leave' }).catch(() => undefined);
        await member.end();
      });
      return member;
    };
    const [dialler, listener] = [await start(0), await start(1)];
    if (listener.ready.kind !== 'ready') throw new LatentError('INTERNAL', 'A member did not tell where it is.');
    let { hint } = listener.ready;
    if (shape !== undefined) {
      const forwarder = await startForwarder(shape, hint, signal);
      cleanups.push(() => forwarder.end());
      hint = hint.replace(/\d+$/, String(forwarder.port));
    }
    const far = await listener.ask({ kind: 'join', rank: 0, seed: seeds[0] });
    const near = await dialler.ask({ kind: 'join', rank: 1, seed: seeds[1], hint });
    if (near.kind !== 'joined' || far.kind !== 'joined') throw new LatentError('INTERNAL', 'A member did not join.');
    const places = [
      { namespacePath: near.namespacePath, address: addressOf(0) },
      { namespacePath: far.namespacePath, address: addressOf(1) },
    ] as const;
    return await openTcpWay({ title, pids: [dialler.pid, listener.pid], carried }, places, signal);
  } catch (thrown) {
    await carried();
    throw thrown;
  }
}

async function startForwarder(shape: Shape, hint: string, signal: AbortSignal) {
  const forwarder = await startProcess<ForwarderAsked, ForwarderTold>({
    file: new URL('../transport/forwarder-process.ts', import.meta.url),
    setup: { ...shape, protocol: 'udp', to: Number(/\d+$/.exec(hint)?.[0]) },
    told: forwarderToldSchema,
    signal,
  });
  if (forwarder.ready.kind !== 'ready') throw new LatentError('INTERNAL', 'A forwarder did not tell where it is.');
  return { port: forwarder.ready.port, end: forwarder.end };
}
