import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock, type ManualClock, openStore, silentLogger } from '@latent/kit';
import {
  askIdSchema,
  hashOrder,
  type LeaseId,
  type LeaseTerms,
  leaseTermsSchema,
  type PeerKey,
  peerKeySchema,
  type SignedVoucher,
  signVoucher,
} from '@latent/protocol';
import { createChainClient } from '@latent/sdk';
import { createKeyPair, createTcpTransport } from '@latent/transport';
import { privateKeyToAccount } from 'viem/accounts';
import type { AgentContext } from '../agent-context.ts';
import { openAskDesk } from '../asks/ask-desk.ts';
import { selectMachineDriver } from '../drivers/select-machine-driver.ts';
import { createHoldStore, holdMigration } from '../holds/hold-store.ts';
import { createMemberNetworks, type MemberNetworksParts } from '../network/member-networks.ts';
import { agentOptionsSchema } from '../options.ts';
import { createLeaseDesk, type LeaseDesk } from './lease-desk.ts';
import { createMemberStore, memberMigration } from './member-store.ts';

const account = (digit: string) => privateKeyToAccount(`0x${digit.repeat(64)}`);
const address = (digit: string) => `0x${digit.repeat(40)}`;

export const START_MS = 1_800_000_000_000;
export const PREPAY = 10;
export const renterKey: PeerKey = peerKeySchema.parse(`0x${'c'.repeat(64)}`);
export const strangerKey: PeerKey = peerKeySchema.parse(`0x${'d'.repeat(64)}`);
const meter = account('7');
const ASK = askIdSchema.parse(`0x${'a'.repeat(64)}`);

/** An agent's desk over a real store, the mock driver and a clock that the test moves; its chain is never reached. */
export interface LeaseBench extends AsyncDisposable {
  readonly desk: LeaseDesk;
  readonly clock: ManualClock;
  readonly leaseId: LeaseId;
  readonly terms: LeaseTerms;
  /** A member that has been attached, as `attachLease` leaves it. */
  attach(): void;
  voucher(
    units: bigint,
    change?: { readonly accrueFrom?: number; readonly signer?: 'stranger' },
  ): Promise<SignedVoucher>;
  /** The agent killed and started again: nothing but the disk is left. */
  restart(): Promise<LeaseBench>;
}

/** Stands for what carries packets: it carries none. */
export interface BenchCarrier {
  readonly open: MemberNetworksParts['openNetwork'];
  readonly remove: (stateDir: string) => void;
}

/** @param carrier without it the bench's agent cannot be in private networks */
export async function openLeaseBench(carrier?: BenchCarrier): Promise<LeaseBench> {
  return openOver(await mkdtemp(join(tmpdir(), 'latent-agent-')), createManualClock(START_MS), carrier);
}

async function openOver(dataDir: string, clock: ManualClock, carrier: BenchCarrier | undefined): Promise<LeaseBench> {
  const options = agentOptionsSchema.parse({
    deployment: {
      chainId: 31337,
      rpcUrl: 'http://127.0.0.1:1',
      token: address('1'),
      escrow: address('2'),
      operators: address('3'),
      deployedAtBlock: '0',
    },
    books: ['http://127.0.0.1:1'],
    dataDir,
    pricePerDeviceHour: '500000',
    region: 'eu-west',
    prepay: PREPAY,
  });
  const store = openStore({ path: join(dataDir, 'agent.sqlite'), migrations: [memberMigration, holdMigration] });
  const ending = new AbortController();
  const wish = { driver: 'mock', allowNoIsolation: true } as const;
  const { driver } = await selectMachineDriver(wish, { clock, signal: ending.signal });
  const context: AgentContext = {
    options,
    identity: { operator: account('5'), agent: account('6'), peer: createKeyPair(new Uint8Array(32)) },
    chain: createChainClient(options.deployment),
    driver,
    members: createMemberStore(store),
    holds: createHoldStore(store),
    clock,
    logger: silentLogger,
    signal: ending.signal,
  };
  const machine = { model: 'test', cpuCores: 1, memoryMiB: 1024 };
  const asks = await openAskDesk({ context, machine, hints: [], epoch: 0, isolation: 'none' });
  const networks = createMemberNetworks({
    ability: carrier === undefined ? { usable: false, reason: 'the bench has none' } : { usable: true },
    openNetwork: carrier?.open ?? (() => Promise.reject(new Error('the bench has none'))),
    removeNetwork: async ({ stateDir }) => carrier?.remove(stateDir),
    ...{ dataDir, clock, logger: silentLogger, signal: ending.signal },
    transport: createTcpTransport({ keyPair: context.identity.peer }),
  });
  const desk = createLeaseDesk({ context, asks, networks }, () => {});
  const terms = leaseTerms();
  const leaseId = hashOrder(context.chain.domain, terms);
  const end = async () => {
    ending.abort();
    await Promise.all(desk.carried.values());
    store.close();
  };
  return {
    desk,
    clock,
    leaseId,
    terms,
    attach: () => {
      context.members.save({
        ...{ leaseId, index: 0, ask: ASK, terms, openedAt: START_MS / 1000, peerKey: renterKey },
        ...{ state: 'attached', reason: null, job: null, setup: null, run: null },
        ...{ startedAtMs: 0, lastSeenMs: 0, deliveredUnits: 0n, voucher: null, claim: null },
      });
    },
    voucher: (units, { accrueFrom = 0, signer } = {}) =>
      signVoucher(signer === 'stranger' ? account('8') : meter, context.chain.domain, {
        leaseId,
        units: [units],
        accrueFrom: [accrueFrom],
      }),
    restart: async () => {
      await end();
      return openOver(dataDir, clock, carrier);
    },
    [Symbol.asyncDispose]: async () => {
      if (!ending.signal.aborted) await end();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** The same after a restart, which signs another ask. */
function leaseTerms(): LeaseTerms {
  return leaseTermsSchema.parse({
    order: {
      renter: address('9'),
      session: address('0'),
      meterKey: meter.address,
      deposit: '1000000',
      maxSeconds: 3_600,
      closeWindow: 3_600,
      prepay: PREPAY,
      maxFeeBps: 50,
      openBy: START_MS / 1000 + 60,
      workload: `0x${'0'.repeat(64)}`,
      salt: '1',
    },
    members: [
      { ask: ASK, operator: account('5').address, agentKey: account('6').address, devices: 1, rate: '138888888888' },
    ],
  });
}
