import { randomBytes } from 'node:crypto';
import {
  hashOrder,
  type LeaseId,
  type LeaseTerms,
  operatorsAbi,
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
import { type ChainClient, createChainClient, draftLease, encodeCall, openLease, sendTransaction } from '@latent/sdk';
import { type Address, bytesToHex, createTestClient, erc20Abi, http, parseEther } from 'viem';
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import type { TestNetwork } from './test-network.ts';

/** An operator without a machine: its keys are the test's. */
export interface PaperOperator {
  readonly account: PrivateKeyAccount;
  readonly agent: PrivateKeyAccount;
}

export interface PaperLease {
  readonly leaseId: LeaseId;
  readonly terms: LeaseTerms;
  readonly operators: readonly PaperOperator[];
  /** By the meter key, which is the test's. */
  voucher(units: readonly bigint[]): Promise<SignedVoucher>;
  claim(member: number, units: bigint): Promise<SignedClose>;
}

/** Leases on a network's chain that no process meters or serves: what is signed, and when, is up to the test. */
export interface EscrowLeases {
  readonly chain: ChainClient;
  readonly renter: PrivateKeyAccount;
  readonly operators: readonly PaperOperator[];
  readonly dev: ReturnType<typeof connectDev>;
  /** With a member of each of these operators. */
  open(operators: readonly PaperOperator[], options?: { readonly seconds?: number }): Promise<PaperLease>;
  fund(address: Address): Promise<void>;
}

const HOURLY = 3_600_000_000n;
const STAKE_AND_MORE = 1_000_000_000_000n;

export async function makeEscrowLeases(network: TestNetwork, operatorCount: number): Promise<EscrowLeases> {
  const chain = createChainClient(network.devnet.deployment);
  const dev = connectDev(chain);
  const renter = newAccount();
  const fund = (address: Address) => dev.setBalance({ address, value: parseEther('100') });
  const mint = async (to: Address) => {
    const data = encodeCall({ abi: testDollarAbi, functionName: 'mint', args: [to, STAKE_AND_MORE] });
    await sendTransaction(chain, renter, { to: chain.deployment.token, data });
  };
  await fund(renter.address);
  await mint(renter.address);
  const operators: PaperOperator[] = [];
  for (let index = 0; index < operatorCount; index += 1) {
    const operator = { account: newAccount(), agent: newAccount() };
    await fund(operator.account.address);
    await mint(operator.account.address);
    await join(chain, operator);
    operators.push(operator);
  }
  return {
    ...{ chain, renter, operators, dev, fund },
    open: async (chosen, { seconds = 3_600 } = {}) => {
      const { timestamp } = await chain.public.getBlock();
      const asks = await Promise.all(chosen.map((operator) => askOf(chain, operator, Number(timestamp))));
      const meter = newAccount();
      const terms = draftLease({
        ...{ domain: chain.domain, asks, devicesPerMachine: 1, renter: renter.address, meterKey: meter.address },
        ...{ seconds, nowSeconds: Number(timestamp), workload: bytesToHex(randomBytes(32)), salt: newSalt() },
      });
      await openLease(chain, { terms, asks, funding: { kind: 'authorization', renter } });
      const leaseId = hashOrder(chain.domain, terms);
      return {
        ...{ leaseId, terms, operators: chosen },
        voucher: (units) =>
          signVoucher(meter, chain.domain, { leaseId, units: [...units], accrueFrom: units.map(() => 0) }),
        claim: (member, units) => {
          const agent = chosen[member]?.agent;
          if (agent === undefined) throw new Error(`no member ${member}`);
          return signClose(agent, chain.domain, { leaseId, member, units });
        },
      };
    },
  };
}

function connectDev({ chain, deployment }: ChainClient) {
  return createTestClient({ mode: 'anvil', chain, transport: http(deployment.rpcUrl, { retryCount: 0 }) });
}

function newAccount(): PrivateKeyAccount {
  return privateKeyToAccount(generatePrivateKey());
}

function newSalt(): bigint {
  return BigInt(bytesToHex(randomBytes(32)));
}

async function join(chain: ChainClient, { account, agent }: PaperOperator): Promise<void> {
  const { operators, token, chainId } = chain.deployment;
  const stake = await chain.public.readContract({
    ...{ address: operators, abi: operatorsAbi, functionName: 'stakePerAgent' },
  });
  const send = (to: Address, data: `0x${string}`) => sendTransaction(chain, account, { to, data });
  await send(token, encodeCall({ abi: erc20Abi, functionName: 'approve', args: [operators, stake] }));
  await send(operators, encodeCall({ abi: operatorsAbi, functionName: 'stake', args: [stake] }));
  const signature = await signJoin(agent, chainId, operators, account.address);
  await send(operators, encodeCall({ abi: operatorsAbi, functionName: 'join', args: [agent.address, signature] }));
}

function askOf(chain: ChainClient, { account, agent }: PaperOperator, nowSeconds: number): Promise<SignedAsk> {
  return signAsk(
    agent,
    chain.domain,
    {
      ...{ operator: account.address, agentKey: agent.address, devices: 16, rate: rateFromHourlyDown(HOURLY) },
      ...{ maxSeconds: 86_400, closeWindow: 900, prepay: 10, maxFeeBps: 50, validUntil: nowSeconds + 3_600, epoch: 0 },
      salt: newSalt(),
    },
    {
      ...{ kind: 'cpu', model: 'Paper', deviceMemoryMiB: 1_024, cpuCores: 1, memoryMiB: 1_024, region: 'eu-west' },
      ...{ site: 'home', isolation: 'namespaces', hints: ['tcp://127.0.0.1:1'] },
      peerKey: peerKeySchema.parse(bytesToHex(randomBytes(32))),
    },
  );
}
