import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  hashOrder,
  type LeaseId,
  type LeaseTerms,
  operatorsAbi,
  parseDollars,
  peerKeySchema,
  rateFromHourlyDown,
  type SignedAsk,
  type SignedClose,
  type SignedVoucher,
  signAsk,
  signClose,
  signJoin,
  signVoucher,
  testDollarAbi,
} from '@latent/protocol';
import {
  type ChainClient,
  connectChain,
  draftLease,
  encodeCall,
  type Funding,
  openLease,
  readChainTime,
  sendTransaction,
} from '@latent/sdk';
import {
  bytesToBigInt,
  bytesToHex,
  createTestClient,
  erc20Abi,
  http,
  type LocalAccount,
  maxUint256,
  parseEther,
} from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { openNetwork, type TestNetwork } from './test-network.ts';

/** An operator whose agent is a key in the hands of the test: it can vanish, sign, or say nothing. */
export interface HeldAgent {
  readonly operator: LocalAccount;
  readonly agent: LocalAccount;
  readonly signed: SignedAsk;
}

/** A lease that is drafted or open, with everybody's keys. */
export interface HeldLease {
  readonly leaseId: LeaseId;
  readonly terms: LeaseTerms;
  readonly asks: readonly SignedAsk[];
  readonly meter: LocalAccount;
  voucher(units: readonly bigint[]): Promise<SignedVoucher>;
  /** What the agent at this place claims. */
  claim(agent: HeldAgent, member: number, units: bigint): Promise<SignedClose>;
}

/** A real chain with the contracts, and people with money on it. */
export interface Money {
  readonly network: TestNetwork;
  readonly chain: ChainClient;
  /** With dollars and ether. */
  readonly renter: LocalAccount;
  /** With ether, and no part in anything. */
  readonly stranger: LocalAccount;
  /** Each an operator of its own, with two devices at $2 an hour unless said otherwise. */
  join(count: number, dollarsPerHour?: string): Promise<readonly HeldAgent[]>;
  draft(
    agents: readonly HeldAgent[],
    order?: { readonly seconds?: number; readonly session?: LocalAccount },
  ): Promise<HeldLease>;
  /** Drafts a lease and opens it, by the renter's authorization unless said otherwise. */
  open(agents: readonly HeldAgent[], funding?: Funding): Promise<HeldLease>;
  /** Dollars of an account outside of the escrow. */
  dollarsOf(account: LocalAccount): Promise<bigint>;
  giveEther(account: Pick<LocalAccount, 'address'>): Promise<void>;
  /** Moves the chain's clock forward. */
  pass(seconds: number): Promise<void>;
  close(): Promise<void>;
}

const LEASE_SECONDS = 3_600;
const ASK_SECONDS = 30 * 86_400;

export async function openMoney(): Promise<Money> {
  const network = await openNetwork({ operators: 1 });
  const chain = await connectChain(network.devnet.deployment);
  const transport = http(network.devnet.deployment.rpcUrl, { retryCount: 0 });
  const control = createTestClient({ mode: 'anvil', chain: chain.chain, transport });
  await control.setAutomine(true);
  const renter = privateKeyToAccount(bytesToHex(readFileSync(network.devnet.renterKeyFile)));
  const giveEther: Money['giveEther'] = async ({ address }) => {
    await control.setBalance({ address, value: parseEther('10') });
  };
  const stranger = privateKeyToAccount(generatePrivateKey());
  await giveEther(stranger);
  const draft: Money['draft'] = (agents, order) => draftHeld(chain, renter, agents, order);
  return {
    ...{ network, chain, renter, stranger, giveEther, draft },
    join: (count, dollarsPerHour = '2') =>
      Promise.all(
        Array.from({ length: count }, () =>
          joinOne(chain, giveEther, rateFromHourlyDown(parseDollars(dollarsPerHour))),
        ),
      ),
    open: async (agents, funding = { kind: 'authorization', renter }) => {
      const lease = await draft(agents, funding.kind === 'session' ? { session: funding.session } : {});
      await openLease(chain, { terms: lease.terms, asks: lease.asks, funding });
      return lease;
    },
    dollarsOf: ({ address }) =>
      chain.public.readContract({
        ...{ address: chain.deployment.token, abi: erc20Abi, functionName: 'balanceOf', args: [address] },
      }),
    pass: async (seconds) => {
      await network.faults.advanceTime(seconds);
    },
    close: () => network.close(),
  };
}

async function joinOne(chain: ChainClient, giveEther: Money['giveEther'], rate: bigint): Promise<HeldAgent> {
  const { token, operators, chainId } = chain.deployment;
  const [operator, agent] = [privateKeyToAccount(generatePrivateKey()), privateKeyToAccount(generatePrivateKey())];
  await giveEther(operator);
  const stake = await chain.public.readContract({
    ...{ address: operators, abi: operatorsAbi, functionName: 'stakePerAgent' },
  });
  const signature = await signJoin(agent, chainId, operators, operator.address);
  const calls = [
    { to: token, data: encodeCall({ abi: testDollarAbi, functionName: 'mint', args: [operator.address, stake] }) },
    { to: token, data: encodeCall({ abi: erc20Abi, functionName: 'approve', args: [operators, maxUint256] }) },
    { to: operators, data: encodeCall({ abi: operatorsAbi, functionName: 'stake', args: [stake] }) },
    { to: operators, data: encodeCall({ abi: operatorsAbi, functionName: 'join', args: [agent.address, signature] }) },
  ];
  for (const call of calls) await sendTransaction(chain, operator, call);
  const signed = await signAsk(
    agent,
    chain.domain,
    {
      ...{ operator: operator.address, agentKey: agent.address, devices: 2, rate, maxSeconds: 7 * 86_400 },
      ...{ closeWindow: 3_600, prepay: 10, maxFeeBps: 50, epoch: 0, salt: bytesToBigInt(randomBytes(8)) },
      validUntil: (await readChainTime(chain)) + ASK_SECONDS,
    },
    {
      ...{ kind: 'gpu', model: 'Test', deviceMemoryMiB: 24_576, cpuCores: 8, memoryMiB: 65_536, region: 'eu-west' },
      ...{ site: 'test', isolation: 'namespaces', hints: [] },
      peerKey: peerKeySchema.parse(bytesToHex(randomBytes(32))),
    },
  );
  return { operator, agent, signed };
}

async function draftHeld(
  chain: ChainClient,
  renter: LocalAccount,
  agents: readonly HeldAgent[],
  { seconds = LEASE_SECONDS, session }: { readonly seconds?: number; readonly session?: LocalAccount } = {},
): Promise<HeldLease> {
  const { domain } = chain;
  const meter = privateKeyToAccount(generatePrivateKey());
  const asks = agents.map(({ signed }) => signed);
  const terms = draftLease({
    ...{ domain, asks, seconds, devicesPerMachine: 1, renter: renter.address, session: session?.address },
    ...{ meterKey: meter.address, nowSeconds: await readChainTime(chain) },
    ...{ workload: bytesToHex(randomBytes(32)), salt: bytesToBigInt(randomBytes(8)) },
  });
  const leaseId = hashOrder(domain, terms);
  return {
    ...{ leaseId, terms, asks, meter },
    voucher: (units) => signVoucher(meter, domain, { leaseId, units: [...units], accrueFrom: units.map(() => 0) }),
    claim: ({ agent }, member, units) => signClose(agent, domain, { leaseId, member, units }),
  };
}
