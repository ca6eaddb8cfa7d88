import { leaseEscrowAbi, leaseExtensionAbi, operatorsAbi, testDollarAbi } from '@latent/protocol';
import { type Address, encodeDeployData, getContractAddress, type Hex, type LocalAccount, zeroAddress } from 'viem';
import { leaseEscrowBytecode, leaseExtensionBytecode, operatorsBytecode, testDollarBytecode } from './bytecode.ts';
import type { DevChain } from './connect-dev-chain.ts';
import { sendInOrder } from './send-in-order.ts';
import { type ContractAddresses, verifyContracts } from './verify-contracts.ts';

export interface DeployContractsOptions {
  /** Its first transactions create the contracts, which is what their addresses come from. It needs ether. */
  readonly deployer: LocalAccount;
  readonly treasury: Address;
  /** Protocol fee in 1/10,000; the contract allows 50. */
  readonly feeBps: number;
  /** Base units of the stablecoin. */
  readonly stakePerAgent: bigint;
}

export interface DeployedContracts extends ContractAddresses {
  /** Block of the deployment; undefined when all of it was there already. */
  readonly deployedAtBlock: bigint | undefined;
}

/** Less than the 2^24 that EIP-7825 allows a transaction; the largest contract there may be needs 6 million. */
const CREATION_GAS = 9_000_000n;

/**
 * Deploys the test dollar, Operators, and LeaseEscrow with its extension, in one block, and makes sure that they are what was asked for. The
 * addresses follow from the deployer alone: called again, also after a crash half-way, it deploys what is missing.
 * @throws LatentError DEVNET_FAILED when what lies at the addresses is something else
 */
export async function deployContracts(chain: DevChain, options: DeployContractsOptions): Promise<DeployedContracts> {
  const { deployer, treasury, feeBps, stakePerAgent } = options;
  const addressAt = (nonce: bigint) => getContractAddress({ from: deployer.address, nonce });
  const contracts = { token: addressAt(0n), operators: addressAt(1n), escrow: addressAt(3n) };
  const { token, operators } = contracts;
  const creations: readonly Hex[] = [
    encodeDeployData({ abi: testDollarAbi, bytecode: testDollarBytecode }),
    encodeDeployData({ abi: operatorsAbi, bytecode: operatorsBytecode, args: [contracts.token, stakePerAgent] }),
    encodeDeployData({
      abi: leaseExtensionAbi,
      bytecode: leaseExtensionBytecode,
      args: [{ token, operators, treasury, feeBps, permit2: zeroAddress }],
    }),
    encodeDeployData({ abi: leaseEscrowAbi, bytecode: leaseEscrowBytecode, args: [addressAt(2n)] }),
  ];
  const sent = await chain.getTransactionCount({ address: deployer.address, blockTag: 'latest' });
  const receipts = await sendInOrder(
    chain,
    deployer,
    creations.slice(sent).map((data) => ({ data, gas: CREATION_GAS })),
  );
  await verifyContracts(chain, contracts, { treasury, feeBps, stakePerAgent });
  return { ...contracts, deployedAtBlock: receipts[0]?.blockNumber };
}
