import { LatentError } from '@latent/protocol';
import { z } from 'zod';
import { toChainError } from '../../chain/chain-error.ts';
import type { ChainClient } from '../../chain/connect-chain.ts';

/** Reads a chain by JSON-RPC. Nothing of an answer is believed before it fits its schema. */
export interface ChainReader {
  /** The last block that every endpoint has which is asked. @throws as {@link ChainReader.read} */
  head(): Promise<bigint>;
  /**
   * @param what names the answer in errors: "block 12"
   * @throws LatentError CHAIN_UNREACHABLE, MESSAGE_INVALID; CHAIN_DISAGREES where several endpoints are asked;
   * CHAIN_REVERTED where the endpoint refuses the request
   */
  read<Answer>(what: string, method: string, params: readonly unknown[], schema: z.ZodType<Answer>): Promise<Answer>;
}

/** By the one endpoint of a client. */
export function readerOf(client: Pick<ChainClient, 'public'>): ChainReader {
  const read: ChainReader['read'] = async (what, method, params, schema) => {
    let answer: unknown;
    try {
      answer = await client.public.transport.request({ method, params });
    } catch (thrown) {
      throw toChainError(thrown);
    }
    return parseAnswer(what, answer, schema);
  };
  return { read, head: () => read('head', 'eth_blockNumber', [], quantitySchema) };
}

/** @throws LatentError MESSAGE_INVALID */
export function parseAnswer<Answer>(what: string, answer: unknown, schema: z.ZodType<Answer>): Answer {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new LatentError(
    'MESSAGE_INVALID',
    `The endpoint's ${what} is none: ${issue?.path.join('.')} ${issue?.message}`,
    {
      hint: 'Ask another endpoint.',
    },
  );
}

/** A number of JSON-RPC. */
export const quantitySchema = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/, 'not a number')
  .transform((text) => BigInt(text));
