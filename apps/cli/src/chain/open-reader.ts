import { silentLogger, systemClock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { type ChainReader, parseAnswer, toChainError } from '@latent/sdk';
import { keccak256, stringToHex } from 'viem';

/** What of an answer is shown where two endpoints contradict each other. */
const SHOWN_CHARACTERS = 300;

/**
 * Reads a chain at these endpoints, answers bounded in size. Of several, all have to answer, and the same.
 * @throws LatentError CONFIG_INVALID for URLs that are none
 */
export async function openReader(chainId: number, urls: readonly string[]): Promise<ChainReader> {
  const { openEndpoints } = await import('@latent/chain');
  const endpoints = openEndpoints({ chainId, urls, quorum: urls.length }, { clock: systemClock, logger: silentLogger });
  /** Waiting does not help against it. */
  const wrongChain = () => {
    const wrong = endpoints.health().find(({ state }) => state === 'wrong-chain');
    if (wrong === undefined) return undefined;
    return new LatentError('CHAIN_WRONG', wrong.problem ?? `Endpoint ${wrong.name} serves another chain.`, {
      hint: 'Give the RPC endpoint of the right chain.',
    });
  };
  return {
    read: async (what, method, params, schema) => {
      const answered = await endpoints
        .agree({
          what,
          work: async (endpoint) => ({ value: parseAnswer(what, await endpoint.request(method, params), schema) }),
          inWords: ({ value }) => shorten(JSON.stringify(value, jsonValue)),
        })
        .catch((thrown: unknown) => {
          throw wrongChain() ?? toChainError(thrown);
        });
      if (answered !== undefined) return answered.value;
      throw new LatentError('CHAIN_UNREACHABLE', `No endpoint states ${what}.`, { hint: 'Name other endpoints.' });
    },
    head: async () => {
      const health = await endpoints.check();
      const heads = health.flatMap(({ head }) => (head === undefined ? [] : [head]));
      const [first, ...others] = heads;
      if (first !== undefined && heads.length === urls.length) return others.reduce((a, b) => (b < a ? b : a), first);
      const problem = health.find(({ head }) => head === undefined);
      throw new LatentError('CHAIN_UNREACHABLE', `Endpoint ${problem?.name} does not answer: ${problem?.problem}`, {
        hint: 'Name other endpoints with --rpc.',
      });
    },
  };
}

/** Different texts stay different. */
function shorten(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}… ${keccak256(stringToHex(text))}`;
}

function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
