import { leaseEscrowAbi, leaseExtensionAbi, operatorsAbi, testDollarAbi } from '@latent/protocol';
import { type Address, concatHex, encodeDeployData, getCreate2Address, type Hex, zeroHash } from 'viem';
import {
  leaseEscrowBytecode,
  leaseEscrowRuntime,
  leaseExtensionBytecode,
  leaseExtensionRuntime,
  operatorsBytecode,
  operatorsRuntime,
  testDollarBytecode,
  testDollarRuntime,
} from './bytecode.ts';

/**
 * The deterministic deployment proxy that nearly every chain has at this address (github.com/Arachnid): whatever is created
 * through it has an address that follows from its code and terms alone.
 */
export const CREATE2_PROXY: Address = '0x4e59b44847b379578588920cA78FbF26c0B4956C';
/** keccak256 of its code, 69 bytes. */
export const CREATE2_PROXY_CODE: Hex =
  '0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3';
const SALT = zeroHash;

/** What an escrow and its `Operators` are made with, for ever. */
export interface DeploymentTerms {
  /** Undefined: a test dollar is deployed too. */
  readonly token: Address | undefined;
  readonly treasury: Address;
  /** Protocol fee in 1/10,000 of what operators are paid; the contract allows 50. */
  readonly feeBps: number;
  /** Base units of the stablecoin that an operator stakes for each agent. */
  readonly stakePerAgent: bigint;
  /** The zero address where the chain has none. */
  readonly permit2: Address;
}

export type ContractName = 'token' | 'operators' | 'extension' | 'escrow';

export interface Creation {
  readonly name: ContractName;
  readonly address: Address;
  /** Input of a call to {@link CREATE2_PROXY}. */
  readonly data: Hex;
  /** Gas limit: more than it takes anywhere. */
  readonly gas: bigint;
}

export type ContractAddresses = Readonly<Record<ContractName, Address>>;

/**
 * Everything that has to be created, in order, and where it will lie. The same terms give the same addresses for whoever
 * deploys them: so a deployment that was cut short is gone on with, and one that is there is found.
 */
export function creationsOf(terms: DeploymentTerms): {
  readonly addresses: ContractAddresses;
  readonly creations: readonly Creation[];
} {
  const { treasury, feeBps, stakePerAgent, permit2 } = terms;
  const dollar = creation(
    'token',
    encodeDeployData({ abi: testDollarAbi, bytecode: testDollarBytecode }),
    testDollarRuntime,
  );
  const token = terms.token ?? dollar.address;
  const operators = creation(
    'operators',
    encodeDeployData({ abi: operatorsAbi, bytecode: operatorsBytecode, args: [token, stakePerAgent] }),
    operatorsRuntime,
  );
  const parts = { token, operators: operators.address, treasury, feeBps, permit2 };
  const extension = creation(
    'extension',
    encodeDeployData({ abi: leaseExtensionAbi, bytecode: leaseExtensionBytecode, args: [parts] }),
    leaseExtensionRuntime,
  );
  const escrow = creation(
    'escrow',
    encodeDeployData({ abi: leaseEscrowAbi, bytecode: leaseEscrowBytecode, args: [extension.address] }),
    leaseEscrowRuntime,
  );
  const addresses = { token, operators: operators.address, extension: extension.address, escrow: escrow.address };
  const creations = [...(terms.token === undefined ? [dollar] : []), operators, extension, escrow];
  return { addresses, creations };
}

function creation(name: ContractName, initCode: Hex, { bytes }: { readonly bytes: number }): Creation {
  const address = getCreate2Address({ from: CREATE2_PROXY, salt: SALT, bytecode: initCode });
  return { name, address, data: concatHex([SALT, initCode]), gas: gasUp(initCode, bytes) };
}

/** What every byte of input, of creation and of code costs at most (EIP-7623, EIP-3860), and 400,000 for constructor and calls. */
function gasUp(initCode: Hex, runtimeBytes: number): bigint {
  const initBytes = initCode.length / 2 - 1;
  return BigInt(21_000 + 32_000 + 400_000 + (initBytes + 32) * 40 + Math.ceil(initBytes / 32) * 2 + runtimeBytes * 200);
}
