import { randomBytes } from 'node:crypto';
import {
  operatorsAbi,
  parseDollars,
  peerKeySchema,
  type Resource,
  rateFromHourlyDown,
  type SignedAsk,
  signAsk,
  signJoin,
  testDollarAbi,
} from '@latent/protocol';
import { type ChainClient, encodeCall, readChainTime, sendTransaction } from '@latent/sdk';
import { bytesToHex, createTestClient, erc20Abi, http, type LocalAccount, maxUint256, parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';

/** An operator with one agent that has joined, and its ask. No process runs for it. */
export interface JoinedAgent {
  readonly agent: LocalAccount;
  readonly signed: SignedAsk;
}

const resource: Omit<Resource, 'peerKey'> = {
  ...{ kind: 'gpu', model: 'None', deviceMemoryMiB: 24_576, cpuCores: 8, memoryMiB: 65_536 },
  ...{ region: 'eu-west', site: 'e2e', isolation: 'namespaces', hints: [] },
};

export function controlChain({ chain, deployment }: ChainClient) {
  return createTestClient({ mode: 'anvil', chain, transport: http(deployment.rpcUrl, { retryCount: 0 }) });
}

/** One operator after the other stakes, joins, and signs an ask for eight devices at so many dollars an hour. */
export async function joinAgents(chain: ChainClient, dollars: readonly string[]): Promise<readonly JoinedAgent[]> {
  const { operators, token, chainId } = chain.deployment;
  const contract = { address: operators, abi: operatorsAbi } as const;
  const stake = await chain.public.readContract({ ...contract, functionName: 'stakePerAgent' });
  const validUntil = (await readChainTime(chain)) + 30 * 86_400;
  const joined: JoinedAgent[] = [];
  for (const price of dollars) {
    const [operator, agent] = [privateKeyToAccount(generatePrivateKey()), privateKeyToAccount(generatePrivateKey())];
    await controlChain(chain).setBalance({ address: operator.address, value: parseEther('10') });
    const signature = await signJoin(agent, chainId, operators, operator.address);
    const mint = encodeCall({ abi: testDollarAbi, functionName: 'mint', args: [operator.address, stake] });
    const approve = encodeCall({ abi: erc20Abi, functionName: 'approve', args: [operators, maxUint256] });
    const deposit = encodeCall({ abi: operatorsAbi, functionName: 'stake', args: [stake] });
    const join = encodeCall({ abi: operatorsAbi, functionName: 'join', args: [agent.address, signature] });
    for (const [to, data] of [
      [token, mint],
      [token, approve],
      [operators, deposit],
      [operators, join],
    ] as const) {
      await sendTransaction(chain, operator, { to, data });
    }
    const ask = {
      ...{ operator: operator.address, agentKey: agent.address, devices: 8, maxSeconds: 60 * 86_400, salt: 1n },
      ...{
        rate: rateFromHourlyDown(parseDollars(price)),
        closeWindow: 900,
        prepay: 10,
        maxFeeBps: 50,
        validUntil,
        epoch: 0,
      },
    };
    const shown = { ...resource, peerKey: peerKeySchema.parse(bytesToHex(randomBytes(32))) };
    joined.push({ agent, signed: await signAsk(agent, chain.domain, ask, shown) });
  }
  return joined;
}
