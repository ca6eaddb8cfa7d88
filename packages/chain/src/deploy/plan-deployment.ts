import { LatentError } from '@latent/protocol';
import { toChainError } from '@latent/sdk';
import { type Address, type Hex, zeroAddress } from 'viem';
import { PERMIT2 } from './check-token.ts';
import type { DeployChain } from './connect-deployer.ts';
import {
  type ContractAddresses,
  CREATE2_PROXY,
  CREATE2_PROXY_CODE,
  type Creation,
  creationsOf,
  type DeploymentTerms,
} from './creations.ts';
import { isKnownToAll, LOCAL_CHAIN_ID } from './known-keys.ts';

export interface PlanOptions {
  /** The chain that is meant. */
  readonly chainId: number;
  /** Who sends, and pays. */
  readonly deployer: Address;
  /** `permit2` undefined: the canonical one, if the chain has it. */
  readonly terms: Omit<DeploymentTerms, 'permit2'> & { readonly permit2: Address | undefined };
}

/** What is to be done, and what it costs. Nothing was sent. */
export interface DeploymentPlan {
  readonly chainId: number;
  readonly deployer: Address;
  readonly terms: DeploymentTerms;
  readonly addresses: ContractAddresses;
  /** What is missing, in order. */
  readonly creations: readonly Creation[];
  /** Names of what is there already. */
  readonly there: readonly string[];
  /** Gas limits of all that is missing; what is used is less. */
  readonly gasUp: bigint;
  readonly weiPerGas: bigint;
  readonly weiUp: bigint;
  /** Of the deployer. */
  readonly balanceWei: bigint;
}

const MAX_FEE_BPS = 50;
const MAX_STAKE = 2n ** 128n;

/**
 * Looks at a chain before anything is deployed to it.
 * @throws LatentError CHAIN_WRONG, CONFIG_INVALID for terms that nobody should deploy, CHAIN_UNREACHABLE
 */
export async function planDeployment(chain: DeployChain, options: PlanOptions): Promise<DeploymentPlan> {
  const { chainId, deployer } = options;
  refuseTerms(options);
  try {
    const served = await chain.public.getChainId();
    if (served !== chainId) {
      throw new LatentError('CHAIN_WRONG', `The endpoint serves chain ${served}, not chain ${chainId}.`, {
        hint: 'Give the endpoint of the chain that is meant, or its id with --chain-id.',
      });
    }
    await requireProxy(chain);
    if (options.terms.token !== undefined) await requireCode(chain, options.terms.token, 'the token');
    const permit2 = options.terms.permit2 ?? ((await hasCode(chain, PERMIT2)) ? PERMIT2 : zeroAddress);
    const terms = { ...options.terms, permit2 };
    const { addresses, creations } = creationsOf(terms);
    refuseOwnTreasury(chainId, addresses, terms.treasury);
    const known = await Promise.all(creations.map(({ address }) => hasCode(chain, address)));
    const missing = creations.filter((_, index) => known[index] !== true);
    const gasUp = missing.reduce((sum, { gas }) => sum + gas, 0n);
    const [weiPerGas, balanceWei] = await Promise.all([
      chain.public.getGasPrice(),
      chain.public.getBalance({ address: deployer }),
    ]);
    const there = creations.filter((_, index) => known[index] === true).map(({ name }) => name);
    return {
      ...{ chainId, deployer, terms, addresses, creations: missing, there, gasUp, weiPerGas },
      ...{ weiUp: gasUp * weiPerGas, balanceWei },
    };
  } catch (thrown) {
    throw toChainError(thrown);
  }
}

function refuseTerms({ chainId, deployer, terms }: PlanOptions): void {
  const { treasury, feeBps, stakePerAgent, token } = terms;
  const refuse = (message: string, hint: string) => new LatentError('CONFIG_INVALID', message, { hint });
  if (!Number.isInteger(feeBps) || feeBps < 0 || feeBps > MAX_FEE_BPS) {
    throw refuse(`A fee of ${feeBps}/10,000 cannot be deployed.`, `The contract allows 0 to ${MAX_FEE_BPS}.`);
  }
  if (stakePerAgent < 0n || stakePerAgent >= MAX_STAKE)
    throw refuse(`A stake of ${stakePerAgent} cannot be held.`, 'Give less.');
  if (treasury === zeroAddress)
    throw refuse('The treasury is the zero address.', 'Name the account that the fee goes to.');
  if (chainId === LOCAL_CHAIN_ID) return;
  if (token === undefined) {
    throw refuse('A test dollar is only for a local chain: anybody can mint it.', 'Name a stablecoin with --token.');
  }
  if (isKnownToAll(deployer)) {
    throw refuse(
      `Everybody has the key of ${deployer}: it is one of those that local chains start with.`,
      'Use a key of your own.',
    );
  }
  if (isKnownToAll(treasury)) {
    throw refuse(`Everybody has the key of the treasury ${treasury}.`, 'Name an account of your own.');
  }
  if (treasury === deployer || treasury === token) {
    throw refuse(
      `The treasury ${treasury} is ${treasury === token ? 'the token' : 'the deployer itself'}.`,
      'Name an account whose key is kept apart, best a contract wallet.',
    );
  }
}

function refuseOwnTreasury(chainId: number, addresses: ContractAddresses, treasury: Address): void {
  if (chainId === LOCAL_CHAIN_ID || !Object.values(addresses).includes(treasury)) return;
  throw new LatentError('CONFIG_INVALID', `The treasury ${treasury} is one of the contracts.`, {
    hint: 'Nobody could take the fee out again: name an account.',
  });
}

async function requireProxy(chain: DeployChain): Promise<void> {
  const code = await codeAt(chain, CREATE2_PROXY);
  if (code === CREATE2_PROXY_CODE) return;
  const what = code === '0x' ? 'nothing' : 'another contract';
  throw new LatentError(
    'CONFIG_INVALID',
    `The chain has ${what} where the deployment proxy belongs, ${CREATE2_PROXY}.`,
    {
      hint: 'Put it there first: github.com/Arachnid/deterministic-deployment-proxy says how. Nearly every chain has it.',
    },
  );
}

async function requireCode(chain: DeployChain, address: Address, what: string): Promise<void> {
  if (await hasCode(chain, address)) return;
  throw new LatentError('CONFIG_INVALID', `There is no contract at ${address}, which is to be ${what}.`, {
    hint: 'Is it the address on this chain?',
  });
}

export async function hasCode(chain: DeployChain, address: Address, blockNumber?: bigint): Promise<boolean> {
  return (await codeAt(chain, address, blockNumber)) !== '0x';
}

async function codeAt(chain: DeployChain, address: Address, blockNumber?: bigint): Promise<Hex> {
  const at = blockNumber === undefined ? {} : { blockNumber };
  return (await chain.public.getCode({ address, ...at })) ?? '0x';
}
