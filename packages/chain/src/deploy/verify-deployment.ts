import {
  type Check,
  type CheckList,
  createCheckList,
  type Deployment,
  leaseEscrowAbi,
  leaseExtensionAbi,
  operatorsAbi,
} from '@latent/protocol';
import type { ChainReader } from '@latent/sdk';
import { type Address, decodeFunctionResult, encodeFunctionData, getAddress, type Hex, zeroAddress } from 'viem';
import { z } from 'zod';
import { leaseEscrowRuntime, leaseExtensionRuntime, operatorsRuntime } from './bytecode.ts';
import { checkCode, domainWords, wordOf } from './check-code.ts';
import { checkToken, isPermit2 } from './check-token.ts';
import { isKnownToAll, LOCAL_CHAIN_ID } from './known-keys.ts';
import { readView } from './read-view.ts';

export interface DeploymentAudit {
  readonly checks: readonly Check[];
  readonly isRight: boolean;
  /** What the contracts state of themselves; undefined where they are not there. */
  readonly found: FoundDeployment | undefined;
}

/** A deployment as it lies on the chain. */
export interface FoundDeployment {
  readonly extension: Address;
  readonly permit2: Address;
  readonly terms: { readonly treasury: Address; readonly feeBps: number; readonly stakePerAgent: string };
  readonly codeHashes: { readonly operators: Hex; readonly extension: Hex; readonly escrow: Hex };
}

const chainIdSchema = z
  .string()
  .regex(/^0x[0-9a-f]{1,14}$/i)
  .transform(Number);
const MAX_FEE_BPS = 50;

/**
 * Holds what lies on the chain to the deployment file, and its code to what was compiled here. Needs nobody's word: any
 * endpoint, or several that have to state the same.
 * @throws LatentError as `ChainReader.read`
 */
export async function verifyDeployment(reader: ChainReader, deployment: Deployment): Promise<DeploymentAudit> {
  const list = createCheckList();
  const found = await audit(list, reader, deployment);
  return { checks: list.checks, isRight: list.checks.every(({ outcome }) => outcome !== 'wrong'), found };
}

async function audit(
  list: CheckList,
  reader: ChainReader,
  deployment: Deployment,
): Promise<FoundDeployment | undefined> {
  const { chainId, token, escrow, operators } = deployment;
  const served = await reader.read('chain id', 'eth_chainId', [], chainIdSchema);
  if (!list.same('chain id', served, chainId)) return undefined;
  const extension = await readExtension(reader, escrow);
  const terms = await readTerms(reader, escrow);
  const stake = await readStake(reader, operators);
  if (extension === undefined || terms === undefined || stake === undefined) {
    const missing = [
      extension === undefined || terms === undefined ? `escrow at ${escrow}` : '',
      stake === undefined ? `Operators at ${operators}` : '',
    ];
    list.holds(
      'the contracts are there',
      false,
      `there is none of Latent: ${missing.filter((name) => name !== '').join(', ')}`,
    );
    return undefined;
  }
  const { treasury, feeBps, permit2 } = terms;
  list.same('escrow: token', terms.token, token);
  list.same('escrow: Operators', terms.operators, operators);
  list.same('Operators: token', stake.token, token);
  if (deployment.extension !== undefined) list.same('escrow: extension', extension, deployment.extension);
  if (deployment.permit2 !== undefined) list.same('escrow: Permit2', permit2, deployment.permit2);
  if (deployment.terms !== undefined) {
    list.same('escrow: treasury', treasury, deployment.terms.treasury);
    list.same('escrow: fee in 1/10,000', feeBps, deployment.terms.feeBps);
    list.same('Operators: stake for each agent', stake.stakePerAgent, BigInt(deployment.terms.stakePerAgent));
  }
  list.holds(`escrow: fee of ${feeBps}/10,000 at most ${MAX_FEE_BPS}`, feeBps <= MAX_FEE_BPS, 'it is more');
  checkTreasury(list, deployment, treasury);
  await checkToken(list, reader, chainId, token);
  if (permit2 === zeroAddress) list.unchecked('Permit2', 'the escrow has none');
  else
    list.holds(
      `Permit2 at ${permit2}`,
      await isPermit2(reader, chainId, permit2),
      'there is another contract, or none',
    );

  const shared = [wordOf(token), wordOf(operators), wordOf(treasury), wordOf(BigInt(feeBps)), wordOf(permit2)];
  const domain = (address: Address) => domainWords('Latent LeaseEscrow', chainId, address);
  const hashes = {
    operators: await checkCode(list, reader, {
      ...{ name: 'Operators', address: operators, runtime: operatorsRuntime },
      values: [...domainWords('Latent Operators', chainId, operators), wordOf(token), wordOf(stake.stakePerAgent)],
    }),
    extension: await checkCode(list, reader, {
      ...{ name: 'extension', address: extension, runtime: leaseExtensionRuntime },
      values: [...domain(extension), ...shared, wordOf(extension)],
    }),
    escrow: await checkCode(list, reader, {
      ...{ name: 'escrow', address: escrow, runtime: leaseEscrowRuntime },
      values: [...domain(escrow), ...shared, wordOf(extension)],
    }),
  };
  const codeHashes = compareHashes(list, deployment, hashes);
  if (codeHashes === undefined) return undefined;
  const { stakePerAgent } = stake;
  return { extension, permit2, terms: { treasury, feeBps, stakePerAgent: String(stakePerAgent) }, codeHashes };
}

function checkTreasury(list: CheckList, { chainId, token, escrow, operators }: Deployment, treasury: Address): void {
  if (chainId === LOCAL_CHAIN_ID) return;
  const isContract = [token, escrow, operators, zeroAddress].some((address) => address === treasury);
  list.holds(
    `treasury ${treasury}: somebody's`,
    !isContract && !isKnownToAll(treasury),
    'nobody, or everybody, can move what it gets',
  );
}

function compareHashes(
  list: CheckList,
  { codeHashes }: Deployment,
  { operators, extension, escrow }: Readonly<Record<'operators' | 'extension' | 'escrow', Hex | undefined>>,
): FoundDeployment['codeHashes'] | undefined {
  if (operators === undefined || extension === undefined || escrow === undefined) return undefined;
  if (codeHashes !== undefined) {
    list.same('Operators: hash of its code', operators, codeHashes.operators);
    list.same('extension: hash of its code', extension, codeHashes.extension);
    list.same('escrow: hash of its code', escrow, codeHashes.escrow);
  }
  return { operators, extension, escrow };
}

async function readExtension(reader: ChainReader, escrow: Address): Promise<Address | undefined> {
  const call = { abi: leaseEscrowAbi, functionName: 'extension' } as const;
  return readView(reader, escrow, encodeFunctionData(call), (data) => decodeFunctionResult({ ...call, data }));
}

async function readTerms(reader: ChainReader, escrow: Address) {
  const call = { abi: leaseExtensionAbi, functionName: 'terms' } as const;
  const terms = await readView(reader, escrow, encodeFunctionData(call), (data) =>
    decodeFunctionResult({ ...call, data }),
  );
  if (terms === undefined) return undefined;
  const { token, operators, treasury, permit2, feeBps } = terms;
  return {
    ...{ token: getAddress(token), operators: getAddress(operators), treasury: getAddress(treasury) },
    ...{ permit2: getAddress(permit2), feeBps },
  };
}

async function readStake(reader: ChainReader, operators: Address) {
  const stakeCall = { abi: operatorsAbi, functionName: 'stakePerAgent' } as const;
  const stakePerAgent = await readView(reader, operators, encodeFunctionData(stakeCall), (data) =>
    decodeFunctionResult({ ...stakeCall, data }),
  );
  const tokenCall = { abi: operatorsAbi, functionName: 'token' } as const;
  const token = await readView(reader, operators, encodeFunctionData(tokenCall), (data) =>
    decodeFunctionResult({ ...tokenCall, data }),
  );
  return stakePerAgent === undefined || token === undefined ? undefined : { stakePerAgent, token };
}
