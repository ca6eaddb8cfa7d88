import type { LatentError } from '@latent/protocol';
import type { Transport } from '@latent/transport';
import type { Hex, LocalAccount } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { ChainClient } from '../chain/connect-chain.ts';
import { type WithChainOptions, withChain } from '../chain/with-chain.ts';
import type { ClusterJournal } from './cluster-journal.ts';
import type { ClusterPhase, ClusterRecord, MemberView } from './cluster-record.ts';

/** Time, passed in so that tests decide it. */
export interface Clock {
  nowMs(): number;
  sleep(ms: number, options: { readonly signal: AbortSignal }): Promise<void>;
}

/** What the meter of one cluster works with. */
export interface ClusterContext {
  readonly name: string;
  readonly journal: ClusterJournal;
  readonly chain: ChainClient;
  readonly transport: Transport;
  /** Pays for gas. */
  readonly renter: LocalAccount;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The packed files of the job, from the start. */
  readonly readArchive: (path: string) => AsyncIterable<Uint8Array>;
  /** Saves outputs of one rank; returns the folder that all ranks' outputs are in. */
  readonly saveOutputs: (rank: number, archive: AsyncIterable<Uint8Array>) => Promise<string>;
}

export function meterAccount(record: Pick<ClusterRecord, 'meterSecret'>): LocalAccount {
  const secret: Hex = record.meterSecret;
  return privateKeyToAccount(secret);
}

export function toPhase(
  { journal, name }: Pick<ClusterContext, 'journal' | 'name'>,
  phase: ClusterPhase,
  text: string,
  change: Partial<ClusterRecord> = {},
): ClusterRecord {
  const record = journal.update(name, (before) => ({ ...before, ...change, phase }));
  journal.tell(name, { kind: 'phase', text });
  return record;
}

export function changeMember(
  { journal, name }: Pick<ClusterContext, 'journal' | 'name'>,
  rank: number,
  change: Partial<MemberView>,
): ClusterRecord {
  return journal.update(name, (before) => ({
    ...before,
    members: before.members.map((member, index) => (index === rank ? { ...member, ...change } : member)),
  }));
}

/** For calls to a chain that may be down: waits with a message, nothing is lost. */
export function waitingForChain<T>(
  context: Pick<ClusterContext, 'journal' | 'name' | 'signal'>,
  call: () => Promise<T>,
): Promise<T> {
  let told = false;
  const onWaiting: WithChainOptions['onWaiting'] = (error: LatentError) => {
    if (!told) context.journal.tell(context.name, { kind: 'warning', text: `Waiting for the chain: ${error.message}` });
    told = true;
  };
  return withChain(call, { signal: context.signal, onWaiting });
}
