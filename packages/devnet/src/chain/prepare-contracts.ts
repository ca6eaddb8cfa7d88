import { type Deployment, deploymentSchema, LatentError } from '@latent/protocol';
import { concat, keccak256, type LocalAccount } from 'viem';
import { z } from 'zod';
import type { DevnetContext } from '../devnet-context.ts';
import { readJsonFile } from '../files/read-json-file.ts';
import { writeFileAtomically } from '../files/write-file-atomically.ts';
import { loadAccount } from '../keys/load-account.ts';
import { leaseEscrowBytecode, leaseExtensionBytecode, operatorsBytecode, testDollarBytecode } from './bytecode.ts';
import { deployContracts } from './deploy-contracts.ts';
import { giveEther } from './give-ether.ts';
import type { StartedChain } from './start-anvil.ts';

/** A deployment, and what was deployed. */
export const deploymentFileSchema = deploymentSchema.extend({
  /** keccak256 of the creation bytecode of all contracts. */
  contractsHash: z.string().max(66),
});

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
  const contractsHash = keccak256(
    concat([testDollarBytecode, operatorsBytecode, leaseExtensionBytecode, leaseEscrowBytecode]),
  );
  const before = readJsonFile(paths.deployment, deploymentFileSchema);
  if (before !== undefined && before.contractsHash !== contractsHash) {
    throw new LatentError('DEVNET_FAILED', 'The contracts have changed since this local network was made.', {
      hint: `Remove ${paths.dataDir} and start a new network; nothing in it has value.`,
      retry: 'never',
    });
  }
  const [deployer, treasury] = await Promise.all([
    loadAccount(paths.deployerKey, randomBytes),
    loadAccount(paths.treasuryKey, randomBytes),
  ]);
  await giveEther(client, [deployer.address]);
  const { feeBps, stakePerAgent, chainId } = settings;
  const deployed = await deployContracts(client, { deployer, treasury: treasury.address, feeBps, stakePerAgent });
  const deployment: Deployment = {
    chainId,
    rpcUrl,
    token: deployed.token,
    escrow: deployed.escrow,
    operators: deployed.operators,
    // After a crash between deploying and writing, the block is not known: looking from the first one on is only slower.
    deployedAtBlock: String(deployed.deployedAtBlock ?? before?.deployedAtBlock ?? 0),
  };
  writeFileAtomically(paths.deployment, `${JSON.stringify({ ...deployment, contractsHash }, undefined, 2)}\n`, 0o600);
  return { deployment, deployer };
}
