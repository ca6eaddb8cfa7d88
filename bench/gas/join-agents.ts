import { randomBytes } from 'node:crypto';
import {
  operatorsAbi,
  peerKeySchema,
  type Resource,
  type SignedAsk,
  signAsk,
  signJoin,
  testDollarAbi,
} from '@latent/protocol';
import { encodeCall, sendTransaction } from '@latent/sdk';
import { bytesToBigInt, bytesToHex, erc20Abi, type LocalAccount, maxUint256, parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { LocalNetwork } from '../harness/local-network.ts';

/** An operator with one agent that has joined, and its ask. */
export interface JoinedAgent {
  readonly operator: LocalAccount;
  readonly agent: LocalAccount;
  readonly signed: SignedAsk;
}

const ETHER_EACH = parseEther('10');
/** Long enough for all that a benchmark does with the clock. */
const ASK_SECONDS = 300 * 86_400;

/** What a lease is made of; only its hash goes to the chain. */
const resource: Omit<Resource, 'peerKey'> = {
  ...{ kind: 'gpu', model: 'Bench', deviceMemoryMiB: 24_576, cpuCores: 8, memoryMiB: 65_536 },
  ...{ region: 'eu-west', site: 'bench', isolation: 'namespaces', hints: [] },
};

/** Makes so many operators, each of whom stakes and joins with one agent, and has it sign an ask for one device. */
export async function joinAgents(
  { chain, control }: LocalNetwork,
  { count, rate, signal }: { readonly count: number; readonly rate: bigint; readonly signal: AbortSignal },
): Promise<readonly JoinedAgent[]> {
  const { operators, token, chainId } = chain.deployment;
  const contract = { address: operators, abi: operatorsAbi } as const;
  const stake = await chain.public.readContract({ ...contract, functionName: 'stakePerAgent' });
  const { timestamp } = await chain.public.getBlock();
  const validUntil = Number(timestamp) + ASK_SECONDS;
  const join = async (): Promise<JoinedAgent> => {
    signal.throwIfAborted();
    const [operator, agent] = [privateKeyToAccount(generatePrivateKey()), privateKeyToAccount(generatePrivateKey())];
    await control.setBalance({ address: operator.address, value: ETHER_EACH });
    const signature = await signJoin(agent, chainId, operators, operator.address);
    const calls = [
      { to: token, data: encodeCall({ abi: testDollarAbi, functionName: 'mint', args: [operator.address, stake] }) },
      { to: token, data: encodeCall({ abi: erc20Abi, functionName: 'approve', args: [operators, maxUint256] }) },
      { to: operators, data: encodeCall({ abi: operatorsAbi, functionName: 'stake', args: [stake] }) },
      {
        to: operators,
        data: encodeCall({ abi: operatorsAbi, functionName: 'join', args: [agent.address, signature] }),
      },
    ];
    for (const call of calls) await sendTransaction(chain, operator, call);
    const signed = await signAsk(
      agent,
      chain.domain,
      {
        ...{ operator: operator.address, agentKey: agent.address, devices: 16, rate, maxSeconds: 60 * 86_400 },
        ...{ closeWindow: 900, prepay: 10, maxFeeBps: 50, validUntil, epoch: 0 },
        salt: bytesToBigInt(randomBytes(8)),
      },
      { ...resource, peerKey: peerKeySchema.parse(bytesToHex(randomBytes(32))) },
    );
    return { operator, agent, signed };
  };
  return Promise.all(Array.from({ length: count }, join));
}
