import { connectDeployer, deployContracts, planDeployment } from '@latent/chain/deploy';
import { type Deployment, deploymentSchema, LatentError } from '@latent/protocol';
import type { LocalAccount } from 'viem';
import type { DevnetContext } from '../devnet-context.ts';
import { readJsonFile } from '../files/read-json-file.ts';
import { writeFileAtomically } from '../files/write-file-atomically.ts';
import { loadAccount } from '../keys/load-account.ts';
import { giveEther } from './give-ether.ts';
import type { StartedChain } from './start-anvil.ts';

export interface PreparedContracts {
  readonly deployment: Deployment;
  readonly deployer: LocalAccount;
}

/**
 * Makes sure that the contracts are on the chain, deploying what is missing, and writes `deployment.json`.
 * @throws LatentError DEVNET_FAILED when what is there was made from other contracts or with other terms
 */
export async function prepareContracts(
  { paths, settings, randomBytes }: DevnetContext,
  { client, rpcUrl }: StartedChain,
): Promise<PreparedContracts> {
  const before = readJsonFile(paths.deployment, deploymentSchema);
  const [deployer, treasury] = await Promise.all([
    loadAccount(paths.deployerKey, randomBytes),
    loadAccount(paths.treasuryKey, randomBytes),
  ]);
  await giveEther(client, [deployer.address]);
  const { feeBps, stakePerAgent, chainId } = settings;
  const chain = connectDeployer(rpcUrl, chainId);
  const plan = await planDeployment(chain, {
    ...{ chainId, deployer: deployer.address },
    terms: { token: undefined, treasury: treasury.address, feeBps, stakePerAgent, permit2: undefined },
  });
  // Addresses follow from code and terms.
  if (before !== undefined && before.escrow !== plan.addresses.escrow) {
    throw new LatentError(
      'DEVNET_FAILED',
      'The contracts, or their terms, have changed since this local network was made.',
      {
        hint: `Remove ${paths.dataDir} and start a new network; nothing in it has value.`,
        retry: 'never',
        details: { before: before.escrow, now: plan.addresses.escrow },
      },
    );
  }
  const deployedAtBlock = before === undefined ? undefined : BigInt(before.deployedAtBlock);
  const deployment = await deployContracts(chain, deployer, plan, { deployedAtBlock });
  writeFileAtomically(paths.deployment, `${JSON.stringify(deployment, undefined, 2)}\n`, 0o600);
  return { deployment, deployer };
}
