import { type Deployment, LatentError } from '@latent/protocol';
import { readerOf, toChainError } from '@latent/sdk';
import { createWalletClient, type Hex, http, type LocalAccount } from 'viem';
import type { DeployChain } from './connect-deployer.ts';
import { CREATE2_PROXY } from './creations.ts';
import { type DeploymentPlan, hasCode } from './plan-deployment.ts';
import { verifyDeployment } from './verify-deployment.ts';

export interface DeployOptions {
  /** Where to look for the lease's events from, if it is known from before; found if not. */
  readonly deployedAtBlock?: bigint | undefined;
  readonly onSent?: (name: string, hash: Hex) => void;
}

const RECEIPT_TIMEOUT_MS = 180_000;

/**
 * Creates what is missing of a plan, waits until it is mined, and holds the result to what was planned. The calls are sent one
 * after the other without waiting in between, so that they share a block where they fit.
 *
 * Safe to repeat, at any point: addresses follow from code and terms, what is there is left alone, and a creation that is
 * mined twice does nothing the second time.
 * @throws LatentError FUNDS_TOO_LOW, CHAIN_REVERTED when a contract is not there afterwards, CHAIN_WRONG naming what differs,
 * TIMED_OUT, CHAIN_UNREACHABLE
 */
export async function deployContracts(
  chain: DeployChain,
  account: LocalAccount,
  plan: DeploymentPlan,
  options: DeployOptions = {},
): Promise<Deployment> {
  try {
    await createMissing(chain, account, plan, options);
    const block = options.deployedAtBlock ?? (await firstBlockOf(chain, plan));
    return await verified(chain, plan, block);
  } catch (thrown) {
    throw toChainError(thrown);
  }
}

async function createMissing(
  chain: DeployChain,
  account: LocalAccount,
  { creations, weiUp, balanceWei, deployer }: DeploymentPlan,
  { onSent }: DeployOptions,
): Promise<void> {
  if (creations.length === 0) return;
  if (account.address !== deployer) throw new LatentError('INTERNAL', 'The plan was made for another deployer.');
  if (balanceWei < weiUp) {
    throw new LatentError('FUNDS_TOO_LOW', `${deployer} has ${balanceWei} wei; it may take ${weiUp}.`, {
      hint: 'Send it some ether of this chain.',
    });
  }
  const wallet = createWalletClient({ account, chain: chain.chain, transport: http(chain.rpcUrl, { retryCount: 0 }) });
  const first = await chain.public.getTransactionCount({ address: deployer, blockTag: 'pending' });
  const hashes: Hex[] = [];
  for (const [index, { name, data, gas }] of creations.entries()) {
    const hash = await wallet.sendTransaction({ to: CREATE2_PROXY, data, gas, nonce: first + index });
    onSent?.(name, hash);
    hashes.push(hash);
  }
  for (const hash of hashes) await chain.public.waitForTransactionReceipt({ hash, timeout: RECEIPT_TIMEOUT_MS });
  for (const { name, address } of creations) {
    // Not the receipt decides: somebody else may have created it a moment before, and ours was refused for that.
    if (await hasCode(chain, address)) continue;
    throw new LatentError('CHAIN_REVERTED', `The chain refused to create the ${name} at ${address}.`, {
      hint: 'Does the chain run Cancun (transient storage, MCOPY), and allow contracts of 24,576 bytes?',
      details: { hashes },
    });
  }
}

/** The block before which nothing of it was there; 0 where the endpoint has no history. */
async function firstBlockOf(chain: DeployChain, { addresses }: DeploymentPlan): Promise<bigint> {
  let [none, there] = [-1n, await chain.public.getBlockNumber()];
  while (there - none > 1n) {
    const middle = (none + there) / 2n;
    const found = await hasCode(chain, addresses.escrow, middle).catch(() => undefined);
    // Looking from the first block on is only slower.
    if (found === undefined) return 0n;
    if (found) there = middle;
    else none = middle;
  }
  return there;
}

async function verified(
  chain: DeployChain,
  { chainId, addresses, terms }: DeploymentPlan,
  block: bigint,
): Promise<Deployment> {
  const { treasury, feeBps, stakePerAgent, permit2 } = terms;
  const { token, operators, extension, escrow } = addresses;
  const planned: Deployment = {
    ...{ chainId, rpcUrl: chain.rpcUrl, token, escrow, operators, deployedAtBlock: String(block), extension, permit2 },
    terms: { treasury, feeBps, stakePerAgent: String(stakePerAgent) },
  };
  const { checks, isRight, found } = await verifyDeployment(readerOf(chain), planned);
  if (isRight && found !== undefined) return { ...planned, codeHashes: found.codeHashes };
  const differing = checks.flatMap(({ outcome, what, stated, recomputed, note }) =>
    outcome === 'wrong' ? [`${what}: ${note ?? `${stated}, not ${recomputed}`}`] : [],
  );
  throw new LatentError('CHAIN_WRONG', `What lies on the chain is not what was deployed: ${differing.join('; ')}.`, {
    hint: 'Do not use it. Does the endpoint tell the truth?',
    details: { differing },
  });
}
