import { LatentError } from '@latent/protocol';
import type { ChainReader } from '@latent/sdk';
import type { Address, Hex } from 'viem';
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

/**
 * What a view says.
 * @param data the encoded call
 * @param decode of the answer
 * @returns undefined where the contract has no such view, or is none. @throws LatentError as `ChainReader.read`
 */
export async function readView<Answer>(
  reader: ChainReader,
  to: Address,
  data: Hex,
  decode: (answer: Hex) => Answer,
): Promise<Answer | undefined> {
  try {
    const answer = await reader.read(`view of ${to}`, 'eth_call', [{ to, data }, 'latest'], hexSchema);
    return answer === '0x' ? undefined : decode(answer);
  } catch (thrown) {
    if (thrown instanceof LatentError && thrown.code !== 'CHAIN_REVERTED') throw thrown;
    // Refused, or of another shape: not the contract that was expected.
    return undefined;
  }
}
