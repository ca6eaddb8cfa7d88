import {
  LatentError,
  type LeaseTerms,
  leaseEscrowAbi,
  parseDollars,
  rateFromHourlyDown,
  testDollarAbi,
} from '@latent/protocol';
import {
  checkpointLease,
  closeLease,
  encodeCall,
  finalizeLease,
  openLease,
  readLease,
  type SettleParameters,
  sendTransaction,
  stopLease,
} from '@latent/sdk';
import { erc20Abi, maxUint256 } from 'viem';
import type { BenchmarkOptions } from '../harness/benchmark.ts';
import { type LocalNetwork, withLocalNetwork } from '../harness/local-network.ts';
import { type JoinedAgent, joinAgents } from './join-agents.ts';
import { type Deal, draftDeal } from './lease-deal.ts';
import { openDirectly } from './open-directly.ts';

/** Named as in contracts/snapshots, which measures the same calls within Foundry. */
export const gasCalls = [
  'open',
  'openWithAuthorization',
  'openFromBalance',
  'checkpoint, first',
  'checkpoint, next',
  'close after checkpoints',
  'close',
  'stop',
  'finalize',
] as const;
export type GasCall = (typeof gasCalls)[number];

/** Gas of whole transactions, from their receipts. */
export interface MeasuredGas {
  readonly members: number;
  readonly gas: Readonly<Record<GasCall, bigint>>;
  /** Of a lease that was opened and closed in the measurement. */
  readonly terms: LeaseTerms;
  readonly feeBps: number;
}

const LEASE_SECONDS = 7_200;
const RENTER_DOLLARS = parseDollars('1000000');

/**
 * Opens, settles and closes leases with so many members on the contracts of a local network, in the steady state: every
 * account that is touched has been used before. Each member is an operator of its own, with one device at $2 per hour.
 * @param counts numbers of members, each at most 128
 */
export async function measureGas(
  options: Pick<BenchmarkOptions, 'signal' | 'onProgress'>,
  counts: readonly number[],
): Promise<readonly MeasuredGas[]> {
  return withLocalNetwork(options, { operators: 1 }, (network) => measureGasOn(network, options, counts));
}

/** As {@link measureGas}, on a network that is up; it mines each transaction at once from then on. */
export async function measureGasOn(
  network: LocalNetwork,
  { signal, onProgress }: Pick<BenchmarkOptions, 'signal' | 'onProgress'>,
  counts: readonly number[],
): Promise<readonly MeasuredGas[]> {
  const most = Math.max(...counts);
  onProgress(`${most} operators stake and join`);
  const agents = await joinAgents(network, { count: most, rate: rateFromHourlyDown(parseDollars('2')), signal });
  await fundRenter(network);
  // From here on one transaction at a time, each mined at once.
  await network.control.setAutomine(true);
  onProgress('using every account once');
  await useAll(network, agents);
  const measured: MeasuredGas[] = [];
  for (const members of counts) {
    signal.throwIfAborted();
    onProgress(`leases with ${members} members`);
    measured.push(await measureLeases(network, agents.slice(0, members)));
  }
  return measured;
}

/** Of the leases with so many members. @throws LatentError INTERNAL if none were measured */
export function gasWith(measured: readonly MeasuredGas[], members: number): MeasuredGas {
  const found = measured.find((one) => one.members === members);
  if (found === undefined) throw new LatentError('INTERNAL', `Nothing was measured for ${members} members.`);
  return found;
}

async function fundRenter({ chain, renter }: LocalNetwork): Promise<void> {
  const { token, escrow } = chain.deployment;
  const calls = [
    {
      to: token,
      data: encodeCall({ abi: testDollarAbi, functionName: 'mint', args: [renter.address, 2n * RENTER_DOLLARS] }),
    },
    { to: token, data: encodeCall({ abi: erc20Abi, functionName: 'approve', args: [escrow, maxUint256] }) },
    { to: escrow, data: encodeCall({ abi: leaseEscrowAbi, functionName: 'deposit', args: [RENTER_DOLLARS] }) },
  ];
  for (const call of calls) await sendTransaction(chain, renter, call);
}

/** One lease with everybody, paid and closed: a first use costs up to 17,100 gas more for each account. */
async function useAll(network: LocalNetwork, agents: readonly JoinedAgent[]): Promise<void> {
  const deal = await draftDeal(network, network.renter, agents, LEASE_SECONDS);
  await openDirectly(network, network.renter, deal, 'open');
  await passTime(network, 1_000);
  await settle(network, deal).checkpoint([], 100n);
  await settle(network, deal).close(
    agents.map(() => 100n),
    200n,
    200n,
  );
}

async function measureLeases(network: LocalNetwork, agents: readonly JoinedAgent[]): Promise<MeasuredGas> {
  const { chain, renter } = network;
  const draft = () => draftDeal(network, renter, agents, LEASE_SECONDS);
  const [a, b, c] = [await draft(), await draft(), await draft()];
  const all = (units: bigint) => agents.map(() => units);

  const opened = {
    open: await openDirectly(network, renter, a, 'open'),
    openWithAuthorization: await openByAuthorization(network, b),
    openFromBalance: await openDirectly(network, renter, c, 'openFromBalance'),
  };
  await passTime(network, LEASE_SECONDS / 2);
  const settled = {
    'checkpoint, first': await settle(network, a).checkpoint([], 1_200n),
    'checkpoint, next': await settle(network, a).checkpoint(all(1_200n), 2_400n),
    'close after checkpoints': await settle(network, a).close(all(2_400n), 3_600n, 3_500n),
    close: await settle(network, b).close([], 3_600n, 3_500n),
    stop: (await stopLease(chain, renter, c.terms)).gasUsed,
  };
  await passTime(network, LEASE_SECONDS);
  const finalize = await settle(network, c).finalize(3_600n);

  const { feeBps } = await readLease(chain, b.leaseId);
  return { members: agents.length, gas: { ...opened, ...settled, finalize }, terms: b.terms, feeBps };
}

async function openByAuthorization({ chain, renter }: LocalNetwork, { terms, asks }: Deal): Promise<bigint> {
  const sent = await openLease(chain, { funding: { kind: 'authorization', renter }, terms, asks });
  if (sent === undefined) throw new LatentError('INTERNAL', 'A lease that was drafted just now is open already.');
  return sent.gasUsed;
}

/** The calls that settle a deal, each giving the gas it used. */
function settle({ chain, renter: account }: LocalNetwork, deal: Deal) {
  const parameters = (paidUnits: readonly bigint[]): SettleParameters => ({ account, terms: deal.terms, paidUnits });
  return {
    checkpoint: async (paidUnits: readonly bigint[], units: bigint) => {
      const voucher = await deal.voucher(units);
      return (await checkpointLease(chain, { ...parameters(paidUnits), voucher })).gasUsed;
    },
    close: async (paidUnits: readonly bigint[], units: bigint, claimed: bigint) => {
      const [voucher, closes] = await Promise.all([deal.voucher(units), deal.closes(claimed)]);
      return (await closeLease(chain, { ...parameters(paidUnits), voucher, closes })).gasUsed;
    },
    finalize: async (units: bigint) => {
      const voucher = await deal.voucher(units);
      return (await finalizeLease(chain, { ...parameters([]), voucher })).gasUsed;
    },
  };
}

async function passTime({ control }: LocalNetwork, seconds: number): Promise<void> {
  await control.increaseTime({ seconds });
  await control.mine({ blocks: 1 });
}
