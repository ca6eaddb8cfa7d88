import { LatentError } from '@latent/protocol';
import { createPublicClient, custom, defineChain, type Hex, HttpRequestError, isHex, RpcRequestError } from 'viem';
import { z } from 'zod';
import { createAgreedReads } from './agreed-reads.ts';
import { attempt, type Fault, type Pool, type TryAt } from './attempt-endpoint.ts';
import { broadcastTo } from './broadcast.ts';
import { quantitySchema } from './chain-shapes.ts';
import { createEndpoint } from './create-endpoint.ts';
import { faultText, isEndpointFault } from './endpoint-faults.ts';
import { createHealthBoard } from './endpoint-health.ts';
import type { Endpoint, Endpoints, EndpointsDependencies, EndpointsOptions } from './endpoints.ts';

const MAX_ENDPOINTS = 16;
const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_LAG_BLOCKS = 3n;
/** Below 50 ms receipts have been seen to be missed (viem on a local chain). */
const POLLING_INTERVAL_MS = 100;

/**
 * Puts the endpoints of one chain together. Asks nothing yet: each is checked for its chain when it is asked first, and
 * again after each failure.
 * @throws LatentError CONFIG_INVALID
 */
export function openEndpoints(options: EndpointsOptions, dependencies: EndpointsDependencies): Endpoints {
  const { chainId, urls, timeoutMs = TIMEOUT_MS, maxAnswerBytes = MAX_ANSWER_BYTES } = options;
  const quorum = options.quorum ?? Math.min(2, urls.length);
  checkOptions(urls, quorum);
  const endpoints = urls.map((url, index) =>
    createEndpoint({ name: `${index + 1} (${new URL(url).origin})`, url, timeoutMs, maxAnswerBytes }),
  );
  const board = createHealthBoard(
    dependencies,
    endpoints.map(({ name }) => name),
    options.maxLagBlocks ?? MAX_LAG_BLOCKS,
  );
  const pool: Pool = { chainId, endpoints, board };
  const tryAt: TryAt = (index, work) => attempt(pool, index, work);

  async function onOne<Result>(work: (endpoint: Endpoint) => Promise<Result>): Promise<Result> {
    const faults: Fault[] = [];
    for (const index of board.order()) {
      try {
        return await tryAt(index, work);
      } catch (thrown) {
        if (!isEndpointFault(thrown)) throw thrown;
        faults.push(thrown);
      }
    }
    throw noneAnswered(faults);
  }

  async function check() {
    const heads = await Promise.all(
      endpoints.map(async (_, index) =>
        board.isUsable(index)
          ? tryAt(index, async (endpoint) => quantitySchema.parse(await endpoint.request('eth_blockNumber', []))).catch(
              () => undefined,
            )
          : undefined,
      ),
    );
    board.noteHeads(heads);
    return board.all();
  }

  const chain = defineChain({
    id: chainId,
    name: `chain ${chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [] } },
  });
  const broadcast = (signed: Hex) => broadcastTo(endpoints, tryAt, signed);
  const request = async ({ method, params }: { readonly method: string; readonly params?: unknown }) => {
    const list = z.array(z.unknown()).parse(params ?? []);
    try {
      const [signed] = list;
      if (method === 'eth_sendRawTransaction' && isHex(signed)) return await sendOrThrow(broadcast, signed);
      return await onOne((endpoint) => endpoint.request(method, list));
    } catch (thrown) {
      throw forViem(thrown);
    }
  };
  return {
    chainId,
    chain,
    size: endpoints.length,
    quorum,
    public: createPublicClient({
      chain,
      pollingInterval: POLLING_INTERVAL_MS,
      cacheTime: 0,
      transport: custom({ request }, { retryCount: 0 }),
    }),
    onOne,
    ...createAgreedReads({ endpoints, board, quorum, tryAt, logger: dependencies.logger }),
    broadcast,
    check,
    health: () => board.all(),
  };
}

function checkOptions(urls: readonly string[], quorum: number): void {
  const refuse = (message: string, hint: string) => new LatentError('CONFIG_INVALID', message, { hint });
  if (urls.length < 1 || urls.length > MAX_ENDPOINTS) {
    throw refuse(
      `There are ${urls.length} RPC endpoints; 1 to ${MAX_ENDPOINTS} can be used.`,
      'Name at least one URL.',
    );
  }
  const wrong = urls.findIndex((url) => !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol));
  if (wrong !== -1) throw refuse(`RPC endpoint ${wrong + 1} is not an http: or https: URL.`, 'Correct it.');
  if (new Set(urls).size !== urls.length) {
    throw refuse('An RPC endpoint is named twice: it would agree with itself.', 'Name each endpoint once.');
  }
  if (!Number.isInteger(quorum) || quorum < 1 || quorum > urls.length) {
    throw refuse(`A quorum of ${quorum} cannot be had of ${urls.length} RPC endpoints.`, 'Lower it or add endpoints.');
  }
}

function noneAnswered(faults: readonly Fault[]): Fault {
  const [first] = faults;
  const own = faults.find((fault) => fault instanceof RpcRequestError);
  if (own !== undefined) return own;
  if (faults.length === 1 && first !== undefined) {
    if (first instanceof LatentError && first.code !== 'TIMED_OUT' && first.code !== 'MESSAGE_INVALID') return first;
  }
  if (first !== undefined && faults.every((fault) => fault instanceof LatentError && fault.code === 'CHAIN_WRONG')) {
    return first;
  }
  const reasons = faults.map(faultText);
  return new LatentError('CHAIN_UNREACHABLE', `None of ${faults.length} endpoints answers: ${reasons.join(' ')}`, {
    hint: 'Waiting for it is safe: nothing is lost.',
    details: { reasons },
    cause: first,
  });
}

async function sendOrThrow(broadcast: Endpoints['broadcast'], signed: Hex): Promise<Hex> {
  const { hash, accepted, refusals } = await broadcast(signed);
  if (accepted > 0) return hash;
  const message = refusals.map((refusal) => `${refusal.endpoint}: ${refusal.message}`).join('; ');
  throw new RpcRequestError({ body: {}, url: 'all endpoints', error: { code: -32000, message } });
}

/** viem knows what to make of its own errors only. */
function forViem(thrown: unknown): unknown {
  if (!(thrown instanceof LatentError)) return thrown;
  return new HttpRequestError({ url: 'all endpoints', details: thrown.message, cause: thrown });
}
