import { once } from 'node:events';
import { createServer } from 'node:http';
import { type Address, bytesToHex, type Hex, keccak256, numberToHex, stringToHex } from 'viem';
import { z } from 'zod';
import { bloomOf } from './logs-bloom.ts';

/** A chain of blocks in memory that answers JSON-RPC as a node does, for tests that need one to lie, lose and lag. */

export interface FakeLog {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
}

export interface FakeBlock {
  readonly number: bigint;
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly timestamp: number;
  readonly logs: readonly FakeLog[];
}

export interface FakeChain {
  readonly chainId: number;
  readonly blocks: readonly FakeBlock[];
  /** One more block. */
  mine(logs?: readonly FakeLog[]): FakeBlock;
  /** Takes back the newest blocks; `mine` goes on with other ones. */
  takeBack(depth: number): void;
  /** The same chain up to here, that goes its own way from now on. */
  fork(): FakeChain;
  answer(method: string, params: readonly unknown[]): unknown;
}

export class FakeRpcError extends Error {
  readonly code: number;
  readonly data: unknown;
  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

const START_SECONDS = 1_800_000_000;
const SECONDS_PER_BLOCK = 2;
let forks = 0;

export function createFakeChain(chainId = 31_337, blocks: readonly FakeBlock[] = []): FakeChain {
  const chain: FakeBlock[] = [...blocks];
  let fork = 0;

  function mine(logs: readonly FakeLog[] = []): FakeBlock {
    const number = BigInt(chain.length);
    const block: FakeBlock = {
      number,
      hash: keccak256(stringToHex(`${fork}/${number}/${JSON.stringify(logs)}`)),
      parentHash: chain.at(-1)?.hash ?? `0x${'0'.repeat(64)}`,
      timestamp: START_SECONDS + chain.length * SECONDS_PER_BLOCK,
      logs,
    };
    chain.push(block);
    return block;
  }

  function takeBack(depth: number): void {
    chain.length -= Math.min(depth, chain.length - 1);
    forks += 1;
    fork = forks;
  }

  if (chain.length === 0) mine();
  return {
    chainId,
    blocks: chain,
    mine,
    takeBack,
    fork: () => createFakeChain(chainId, chain),
    answer: (method, params) => answerFrom({ chainId, blocks: chain }, method, params),
  };
}

function answerFrom(
  { chainId, blocks }: Pick<FakeChain, 'chainId' | 'blocks'>,
  method: string,
  params: readonly unknown[],
) {
  const byNumber = (at: unknown) => (at === 'latest' ? blocks.at(-1) : blocks[Number(z.string().parse(at))]);
  switch (method) {
    case 'eth_chainId':
      return numberToHex(chainId);
    case 'eth_blockNumber':
      return numberToHex(blocks.length - 1);
    case 'eth_getBlockByNumber':
      return headerOf(byNumber(params[0]));
    case 'eth_getBlockByHash':
      return headerOf(blocks.find(({ hash }) => hash === params[0]));
    case 'eth_getBlockReceipts': {
      const block = blocks.find(({ hash }) => hash === params[0]);
      return block === undefined ? null : logsOf(block).map((log) => ({ logs: [log] }));
    }
    case 'eth_getLogs':
      return findLogs(blocks, filterSchema.parse(params[0]));
    case 'eth_getTransactionCount':
      return '0x7';
    default:
      throw new FakeRpcError(-32601, `the method ${method} does not exist`);
  }
}

const filterSchema = z.object({
  address: z.array(z.string()),
  blockHash: z.string().optional(),
  fromBlock: z.string().optional(),
  toBlock: z.string().optional(),
});

function findLogs(
  blocks: readonly FakeBlock[],
  { address, blockHash, fromBlock, toBlock }: z.infer<typeof filterSchema>,
) {
  const wanted = address.map((one) => one.toLowerCase());
  const among = blocks.filter(({ number, hash }) =>
    blockHash === undefined ? number >= BigInt(fromBlock ?? 0) && number <= BigInt(toBlock ?? 0) : hash === blockHash,
  );
  if (blockHash !== undefined && among.length === 0) throw new FakeRpcError(-32000, 'unknown block');
  return among.flatMap(logsOf).filter((log) => wanted.includes(log.address.toLowerCase()));
}

/** As JSON-RPC has them. */
function logsOf({ number, hash, logs }: FakeBlock) {
  return logs.map((log, index) => ({
    ...log,
    blockNumber: numberToHex(number),
    blockHash: hash,
    transactionHash: keccak256(stringToHex(`${hash}/${index}`)),
    transactionIndex: '0x0',
    logIndex: numberToHex(index),
    removed: false,
  }));
}

function headerOf(block: FakeBlock | undefined) {
  if (block === undefined) return null;
  const { number, hash, parentHash, timestamp, logs } = block;
  return {
    number: numberToHex(number),
    hash,
    parentHash,
    timestamp: numberToHex(timestamp),
    logsBloom: bytesToHex(bloomOf(logs.flatMap(({ address, topics }) => [address, ...topics]))),
    baseFeePerGas: '0x7',
    transactions: logsOf(block).map(({ transactionHash }) => transactionHash),
  };
}

/** What a served endpoint does instead of the honest answer. */
export type Tweak = (method: string, params: readonly unknown[], honest: () => unknown) => unknown;

export interface FakeEndpoint extends AsyncDisposable {
  readonly url: string;
  /** Methods asked, in order. */
  readonly asked: readonly string[];
  /** Replaces what it does from now on. */
  become(tweak: Tweak): void;
}

export const honestly: Tweak = (_method, _params, honest) => honest();

const requestSchema = z.object({ id: z.int(), method: z.string(), params: z.array(z.unknown()) });

/** Serves a chain over HTTP on the loopback interface. */
export async function serveChain(chain: Pick<FakeChain, 'answer'>, tweak: Tweak = honestly): Promise<FakeEndpoint> {
  let current = tweak;
  const asked: string[] = [];
  const reply = async (text: string) => {
    const { id, method, params } = requestSchema.parse(JSON.parse(text));
    asked.push(method);
    try {
      const result = await current(method, params, () => chain.answer(method, params));
      return { jsonrpc: '2.0', id, result };
    } catch (thrown) {
      if (!(thrown instanceof FakeRpcError)) throw thrown;
      return { jsonrpc: '2.0', id, error: { code: thrown.code, message: thrown.message, data: thrown.data } };
    }
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      reply(Buffer.concat(chunks).toString()).then(
        (body) => response.end(JSON.stringify(body)),
        () => response.writeHead(500).end('broken'),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    become: (next) => {
      current = next;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
