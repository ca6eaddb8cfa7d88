import {
  addressSchema,
  askIdSchema,
  hashOrder,
  leaseTermsSchema,
  type MemberStatus,
  openDigestSigner,
  peerKeySchema,
  type Resource,
  type SignedVoucher,
} from '@latent/protocol';
import { createKeyPair, createTcpTransport, handleCall, serveMethods } from '@latent/transport';
import { agentMethods } from '../agents/agent-methods.ts';
import type { ClusterJournal } from './cluster-journal.ts';
import { type ClusterRecord, clusterRecordSchema } from './cluster-record.ts';
import type { MeterContext } from './meter-cluster.ts';

export const START_MS = 1_800_000_000_000;
export const PREPAY = 9;
export const METER_SECRET = `0x${'11'.repeat(32)}` as const;
export const domain = { chainId: 31_337, escrow: addressSchema.parse(`0x${'e5'.repeat(20)}`) };
const MAX_SECONDS = 100_000;

/** What the agent of one rank says and gets; tests change it as they go. */
export interface FakeAgent {
  /** While set, every call is refused. */
  silent: boolean;
  state: MemberStatus['state'];
  coveredUnits: bigint | undefined;
  held: SignedVoucher | null;
  heldAsks: number;
  readonly got: SignedVoucher[];
  /** Called before it answers for its voucher. */
  onVoucher: () => void;
}

export interface MeterBench extends AsyncDisposable {
  readonly context: MeterContext;
  readonly agents: readonly FakeAgent[];
  readonly told: string[];
  record(): ClusterRecord;
  change(change: Partial<ClusterRecord>): void;
  /** After so many pauses of the meter, in the middle of its sleep. */
  afterTicks(ticks: number, act: () => void): void;
  /** Added to the clock at the next pause, as when the machine sleeps. */
  sleepThrough(ms: number): void;
  nowMs(): number;
}

/** Agents of two ranks on loopback, one device each, and a meter's context whose clock goes on at each pause. */
export async function openMeterBench(): Promise<MeterBench> {
  let nowMs = START_MS;
  let ticks = 0;
  let extraMs = 0;
  const acts: { readonly tick: number; readonly act: () => void }[] = [];
  const told: string[] = [];
  const opened = await Promise.all([0, 1].map((rank) => openAgent(rank, () => nowMs)));
  const terms = leaseTermsSchema.parse({
    order: {
      renter: domain.escrow,
      session: `0x${'0'.repeat(40)}`,
      meterKey: openDigestSigner(METER_SECRET).address,
      deposit: String(2 * MAX_SECONDS),
      ...{ maxSeconds: MAX_SECONDS, closeWindow: 900, prepay: PREPAY, maxFeeBps: 50, openBy: 0 },
      workload: `0x${'0'.repeat(64)}`,
      salt: '1',
    },
    members: [1, 2].map((digit) => ({
      ask: askIdSchema.parse(`0x${String(digit).repeat(64)}`),
      operator: domain.escrow,
      agentKey: addressSchema.parse(`0x${String(digit).repeat(40)}`),
      devices: 1,
      rate: '1000000000',
    })),
  });
  let record = clusterRecordSchema.parse({
    ...{ name: 'bench', network: 'devnet', createdAtMs: START_MS, phase: 'running', openedAt: START_MS / 1000 },
    ...{ leaseId: hashOrder(domain, terms), terms, meterSecret: METER_SECRET, peerSeed: `0x${'33'.repeat(32)}` },
    asks: opened.map(({ ask }) => ask),
    job: {
      ...{ name: 'bench', setup: '', run: 'true', envs: { SECRET: 'hidden' }, gpusPerMachine: 0, outputs: [] },
      ...{ taskId: 't', archive: '/home/renter/files.tar' },
    },
    downWhenDone: false,
    members: opened.map(() => ({
      ...{ state: 'running', reason: null, job: { kind: 'running' }, address: '127.0.0.1' },
      ...{ countedFromMs: START_MS, seenAtMs: START_MS - 1, deliveredUnits: '0', cpuSeconds: 0, memoryBytes: 0 },
    })),
    ...{ voucher: null, stopRequested: null, outputsFolder: '', outcome: null, transactions: [] },
  });
  const journal: ClusterJournal = {
    load: () => record,
    update: (_name, change) => {
      record = change(record);
      return record;
    },
    tell: (_name, { text }) => void told.push(text),
  };
  const transport = createTcpTransport({ keyPair: createKeyPair(new Uint8Array(32).fill(9)) });
  const clock = {
    nowMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms + extraMs;
      extraMs = 0;
      ticks += 1;
      for (const { tick, act } of acts) if (tick === ticks) act();
    },
  };
  return {
    context: { name: 'bench', journal, chain: { domain }, transport, clock, signal: new AbortController().signal },
    agents: opened.map(({ agent }) => agent),
    told,
    record: () => record,
    change: (change) => {
      record = { ...record, ...change };
    },
    afterTicks: (tick, act) => void acts.push({ tick: ticks + tick, act }),
    sleepThrough: (ms) => {
      extraMs = ms;
    },
    nowMs: () => nowMs,
    [Symbol.asyncDispose]: async () => {
      await transport.close();
      await Promise.all(opened.map(({ close }) => close()));
    },
  };
}

async function openAgent(rank: number, nowMs: () => number) {
  const agent: FakeAgent = {
    ...{ silent: false, state: 'running' as const, coveredUnits: undefined, held: null, heldAsks: 0, got: [] },
    onVoucher: () => {},
  };
  const answer = <T>(work: () => T): T => {
    if (agent.silent) throw new Error('silent');
    return work();
  };
  const covered = () => agent.coveredUnits ?? agent.got.at(-1)?.units[rank] ?? 0n;
  const server = serveMethods({
    handlers: [
      handleCall(agentMethods.status, async ({ leaseId }) =>
        answer(() => ({
          ...{ leaseId, index: rank, state: agent.state, job: { kind: 'running' as const }, startedAtMs: START_MS },
          ...{ deliveredUnits: BigInt(Math.floor((nowMs() - START_MS) / 1000)), coveredUnits: covered() },
          ...{ cpuSeconds: 0, memoryBytes: 0 },
        })),
      ),
      handleCall(agentMethods.voucher, async (voucher) =>
        answer(() => {
          agent.onVoucher();
          agent.got.push(voucher);
          return { deliveredUnits: 0n, coveredUnits: covered() };
        }),
      ),
      handleCall(agentMethods.held, async () => {
        agent.heldAsks += 1;
        return answer(() => ({ voucher: agent.held }));
      }),
    ],
    onDefect: () => {},
  });
  const keyPair = createKeyPair(new Uint8Array(32).fill(rank + 1));
  const transport = createTcpTransport({ keyPair });
  const listener = await transport.listen((stream) => server.onStream(stream), { address: '127.0.0.1', port: 0 });
  const resource: Resource = {
    ...{ kind: 'cpu', model: 'test', deviceMemoryMiB: 1, cpuCores: 1, memoryMiB: 1, region: 'eu', site: 'attic' },
    ...{ isolation: 'none', peerKey: peerKeySchema.parse(keyPair.key), hints: [...listener.hints] },
  };
  const zero = `0x${'0'.repeat(64)}`;
  const ask = {
    ask: {
      ...{ operator: domain.escrow, agentKey: domain.escrow, resource: zero, devices: 1, rate: '1', maxSeconds: 1 },
      ...{ closeWindow: 900, prepay: 0, maxFeeBps: 0, validUntil: 0, epoch: 0, salt: '0' },
    },
    resource,
    signature: `0x${'0'.repeat(130)}`,
  };
  return {
    agent,
    ask,
    close: async () => {
      await server.close();
      await listener.close();
      await transport.close();
    },
  };
}
