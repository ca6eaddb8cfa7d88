import { addressSchema, LatentError } from '@latent/protocol';
import { type Address, type Hex, numberToHex, RpcRequestError } from 'viem';
import { z } from 'zod';
import {
  type BlockHeader,
  blockHeaderSchema,
  quantitySchema,
  type RawLog,
  type Receipt,
  rawLogsSchema,
  receiptSchema,
} from './chain-shapes.ts';
import type { Endpoint, LogFilter } from './endpoints.ts';
import { readBounded } from './read-bounded.ts';

export interface CreateEndpointOptions {
  /** Shown instead of the URL. */
  readonly name: string;
  readonly url: string;
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
}

const MAX_MESSAGE_CHARACTERS = 500;
const TOO_MANY_REQUESTS = 429;

const answerSchema = z.object({
  id: z.int(),
  result: z.unknown().optional(),
  error: z.object({ code: z.int(), message: z.string(), data: z.unknown().optional() }).optional(),
});

/** One endpoint over HTTP. Sends nothing yet. */
export function createEndpoint(options: CreateEndpointOptions): Endpoint {
  let lastId = 0;
  const { name } = options;

  async function request(method: string, params: readonly unknown[]): Promise<unknown> {
    lastId += 1;
    const body = { jsonrpc: '2.0', id: lastId, method, params };
    const { status, text } = await post(options, JSON.stringify(body));
    const answer = answerSchema.safeParse(parseJson(text));
    if (status === TOO_MANY_REQUESTS || !answer.success) {
      if (status !== 200) throw silent(name, `it answered with HTTP status ${status}`);
      throw invalid(name, method, 'it is no JSON-RPC');
    }
    const { id, result, error } = answer.data;
    if (error !== undefined) {
      const message = error.message.slice(0, MAX_MESSAGE_CHARACTERS);
      throw new RpcRequestError({ body, url: name, error: { ...error, message } });
    }
    if (id !== body.id) throw invalid(name, method, `it answers request ${id}, not ${body.id}`);
    if (result === undefined) throw invalid(name, method, 'it has neither a result nor an error');
    return result;
  }

  async function ask<Schema extends z.ZodType>(method: string, params: readonly unknown[], schema: Schema) {
    const parsed = schema.safeParse(await request(method, params));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw invalid(name, method, `${(issue?.path ?? []).map(String).join('.')}: ${issue?.message ?? ''}`);
  }

  async function block(at: bigint | Hex | 'latest'): Promise<BlockHeader | undefined> {
    const method = typeof at === 'bigint' || at === 'latest' ? 'eth_getBlockByNumber' : 'eth_getBlockByHash';
    const found = await ask(
      method,
      [typeof at === 'bigint' ? numberToHex(at) : at, false],
      blockHeaderSchema.nullable(),
    );
    if (found === null) return undefined;
    if (at !== 'latest' && found.number !== at && found.hash !== at) {
      throw invalid(name, method, `it is block ${found.number}, not ${at}`);
    }
    return found;
  }

  async function logs(filter: LogFilter): Promise<readonly RawLog[]> {
    const place =
      'blockHash' in filter
        ? { blockHash: filter.blockHash }
        : { fromBlock: numberToHex(filter.from), toBlock: numberToHex(filter.to) };
    const found = await ask('eth_getLogs', [{ address: filter.addresses, ...place }], rawLogsSchema);
    const wrong = wrongLog(found, filter);
    if (wrong !== undefined) throw invalid(name, 'eth_getLogs', wrong);
    return inOrder(found);
  }

  async function blockLogs({ hash }: BlockHeader): Promise<readonly RawLog[] | undefined> {
    const schema = z.array(z.object({ logs: rawLogsSchema })).nullable();
    const receipts = await ask('eth_getBlockReceipts', [hash], schema).catch((thrown: unknown) => {
      if (thrown instanceof RpcRequestError) return null;
      throw thrown;
    });
    const found = receipts?.flatMap((receipt) => receipt.logs);
    if (found?.some(({ blockHash }) => blockHash !== hash) === true) {
      throw invalid(name, 'eth_getBlockReceipts', 'a log is of another block');
    }
    return found === undefined ? undefined : inOrder(found);
  }

  async function receipt(hash: Hex): Promise<Receipt | undefined> {
    const method = 'eth_getTransactionReceipt';
    const found = await ask(method, [hash], receiptSchema.nullable());
    if (found === null) return undefined;
    if (found.transactionHash !== hash) {
      throw invalid(name, method, `it is the receipt of transaction ${found.transactionHash}, not of ${hash}`);
    }
    if (found.logs.some((log) => log.transactionHash !== hash || log.blockHash !== found.blockHash)) {
      throw invalid(name, method, 'a log is of another transaction or block');
    }
    return found;
  }

  return {
    name,
    request,
    block,
    logs,
    blockLogs,
    receipt,
    transactionCount: (account: Address, at: bigint | 'latest') =>
      ask('eth_getTransactionCount', [account, at === 'latest' ? at : numberToHex(at)], quantitySchema),
  };
}

async function post(
  { name, url, timeoutMs, maxAnswerBytes }: CreateEndpointOptions,
  body: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      redirect: 'error',
      signal: timeout,
    });
    return { status: response.status, text: await readBounded(response, name, maxAnswerBytes) };
  } catch (thrown) {
    if (thrown instanceof LatentError) throw thrown;
    if (timeout.aborted) {
      throw new LatentError('TIMED_OUT', `Endpoint ${name} did not answer within ${timeoutMs / 1000} s.`, {
        hint: 'Another endpoint may be faster.',
        details: { endpoint: name },
      });
    }
    // The cause of fetch's error may hold the URL, and with it a secret.
    throw silent(
      name,
      thrown instanceof Error && thrown.cause instanceof Error ? codeOf(thrown.cause) : 'no connection',
    );
  }
}

function codeOf(cause: Error): string {
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why an answer to `eth_getLogs` cannot be one to this question. */
function wrongLog(logs: readonly RawLog[], filter: LogFilter): string | undefined {
  const addresses = new Set(filter.addresses.map((address) => addressSchema.parse(address)));
  const hashes = new Map<bigint, Hex>();
  const places = new Set<string>();
  for (const log of logs) {
    if (!addresses.has(log.address)) return `a log is of ${log.address}, which was not asked for`;
    if ('blockHash' in filter && log.blockHash !== filter.blockHash) return `a log is of block ${log.blockHash}`;
    if ('from' in filter && (log.blockNumber < filter.from || log.blockNumber > filter.to)) {
      return `a log is of block ${log.blockNumber}, which is not from ${filter.from} to ${filter.to}`;
    }
    if ((hashes.get(log.blockNumber) ?? log.blockHash) !== log.blockHash) {
      return `logs of block ${log.blockNumber} are of two blocks`;
    }
    const place = `${log.blockNumber}/${log.logIndex}`;
    if (places.has(place)) return `a log is there twice: block ${log.blockNumber}, index ${log.logIndex}`;
    hashes.set(log.blockNumber, log.blockHash);
    places.add(place);
  }
  return undefined;
}

function inOrder(logs: readonly RawLog[]): readonly RawLog[] {
  return logs.toSorted((a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex);
}

function silent(name: string, why: string): LatentError {
  return new LatentError('CHAIN_UNREACHABLE', `Endpoint ${name} does not answer: ${why}.`, {
    hint: 'Waiting for it is safe: nothing is lost.',
    details: { endpoint: name },
  });
}

function invalid(name: string, method: string, why: string): LatentError {
  return new LatentError('MESSAGE_INVALID', `The answer of endpoint ${name} to ${method} cannot be one: ${why}.`, {
    hint: 'Use another endpoint.',
    details: { endpoint: name, method },
  });
}
