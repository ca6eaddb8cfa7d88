import {
  type Deployment,
  LatentError,
  type LeaseEvidence,
  type LeaseId,
  type LeaseLogEntry,
  type LeaseTransaction,
  type Movement,
  type Place,
  type StoredLease,
} from '@latent/protocol';
import { type Address, type Hex, numberToHex } from 'viem';
import { type ChainReader, quantitySchema } from './chain-reader.ts';
import { decodeCalls } from './decode-calls.ts';
import { decodeEntry, leaseTopics } from './decode-entry.ts';
import { movementsOf } from './movements-of.ts';
import { readStored } from './read-stored.ts';
import { blockSchema, logsSchema, type RpcLog, receiptSchema, transactionSchema } from './rpc-shapes.ts';

type Where = Pick<Deployment, 'chainId' | 'escrow' | 'token' | 'deployedAtBlock'>;

/** Least range of blocks that is asked for at once, however often an endpoint refuses. */
const LEAST_BLOCKS = 500n;

/**
 * All that the chain says of a lease: its events with their blocks' times, its transactions with what they presented and
 * moved, and its slot, now and at each of those blocks.
 * @throws LatentError LEASE_NOT_ACTIVE if there never was such a lease, CHAIN_WRONG, and those of {@link ChainReader}
 */
export async function readEvidence(reader: ChainReader, deployment: Where, leaseId: LeaseId): Promise<LeaseEvidence> {
  const { chainId, escrow } = deployment;
  const domain = { chainId, escrow };
  const served = await reader.read('chain id', 'eth_chainId', [], quantitySchema);
  if (served !== BigInt(chainId)) {
    throw new LatentError(
      'CHAIN_WRONG',
      `The endpoint serves chain ${served}; the deployment is on chain ${chainId}.`,
      {
        hint: 'Give the RPC endpoint of the right chain.',
      },
    );
  }
  const head = await reader.head();
  const filter = { address: escrow, topics: [leaseTopics, leaseId] };
  const logs = await readLogs(reader, filter, BigInt(deployment.deployedAtBlock), head);
  if (logs.length === 0) {
    throw new LatentError('LEASE_NOT_ACTIVE', `The escrow ${escrow} has never had a lease ${leaseId}.`, {
      hint: 'Is this the right chain and deployment?',
    });
  }
  const times = await readTimes(reader, logs);
  const log = logs.map((entry): LeaseLogEntry => {
    if (entry.address !== escrow || entry.topics[1] !== leaseId) {
      throw lie(`the logs of lease ${leaseId}`, 'one of them is of another contract or lease');
    }
    return decodeEntry(entry, placeOf(entry, times));
  });
  const transactions = await readTransactions(reader, { domain, leaseId, token: deployment.token, logs, times });
  const storedAt = new Map<bigint, StoredLease | undefined>();
  for (const block of times.keys()) storedAt.set(block, await readStoredIfKept(reader, escrow, leaseId, block));
  const stored = await readStored(reader, escrow, leaseId, head);
  return { domain, leaseId, log, transactions, stored, storedAt };
}

/** In ranges as large as the endpoint will answer for. */
async function readLogs(
  reader: ChainReader,
  filter: { readonly address: Address; readonly topics: readonly unknown[] },
  from: bigint,
  to: bigint,
): Promise<readonly RpcLog[]> {
  const range = { ...filter, fromBlock: numberToHex(from), toBlock: numberToHex(to) };
  const half = (to - from) / 2n;
  try {
    const logs = await reader.read(`logs of blocks ${from} to ${to}`, 'eth_getLogs', [range], logsSchema);
    return inOrder(logs, from, to);
  } catch (thrown) {
    const error = thrown instanceof LatentError ? thrown : undefined;
    const isFinal = error === undefined || error.code === 'MESSAGE_INVALID' || error.code === 'CHAIN_DISAGREES';
    // Endpoints refuse large ranges in a hundred ways; whoever refuses small ones too is not there.
    if (isFinal || half < LEAST_BLOCKS) throw thrown;
  }
  const first = await readLogs(reader, filter, from, from + half);
  return [...first, ...(await readLogs(reader, filter, from + half + 1n, to))];
}

function inOrder(logs: readonly RpcLog[], from: bigint, to: bigint): readonly RpcLog[] {
  const sorted = logs.toSorted((a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex);
  for (const [index, { blockNumber, logIndex }] of sorted.entries()) {
    const next = sorted[index + 1];
    if (blockNumber < from || blockNumber > to) throw lie('logs', `one is of block ${blockNumber}`);
    if (next?.blockNumber === blockNumber && next.logIndex === logIndex) throw lie('logs', 'one is there twice');
  }
  return sorted;
}

/** Unix seconds by block. */
async function readTimes(reader: ChainReader, logs: readonly RpcLog[]): Promise<ReadonlyMap<bigint, number>> {
  const times = new Map<bigint, number>();
  let latest = 0;
  for (const { blockNumber, blockHash } of logs) {
    if (times.has(blockNumber)) continue;
    const params = [numberToHex(blockNumber), false];
    const block = await reader.read(`block ${blockNumber}`, 'eth_getBlockByNumber', params, blockSchema);
    if (block.number !== blockNumber || block.hash !== blockHash) {
      throw lie(`block ${blockNumber}`, 'it is not the one that its logs name');
    }
    if (block.timestamp < latest) throw lie(`block ${blockNumber}`, 'it is older than the one before it');
    latest = block.timestamp;
    times.set(blockNumber, latest);
  }
  return times;
}

function placeOf({ blockNumber, transactionHash, logIndex }: RpcLog, times: ReadonlyMap<bigint, number>): Place {
  return { block: blockNumber, time: times.get(blockNumber) ?? 0, transaction: transactionHash, logIndex };
}

interface Wanted {
  readonly domain: LeaseEvidence['domain'];
  readonly leaseId: LeaseId;
  readonly token: Address;
  readonly logs: readonly RpcLog[];
  readonly times: ReadonlyMap<bigint, number>;
}

async function readTransactions(
  reader: ChainReader,
  { domain, leaseId, token, logs, times }: Wanted,
): Promise<readonly LeaseTransaction[]> {
  const firsts = new Map<Hex, RpcLog>();
  for (const log of logs) if (!firsts.has(log.transactionHash)) firsts.set(log.transactionHash, log);
  const transactions: LeaseTransaction[] = [];
  for (const [hash, first] of firsts) {
    const sent = await reader.read(`transaction ${hash}`, 'eth_getTransactionByHash', [hash], transactionSchema);
    const receipt = await reader.read(`receipt of ${hash}`, 'eth_getTransactionReceipt', [hash], receiptSchema);
    if (sent.hash !== hash || receipt.transactionHash !== hash || receipt.blockNumber !== first.blockNumber) {
      throw lie(`transaction ${hash}`, 'it is another one');
    }
    for (const log of logs) if (log.transactionHash === hash) mustContain(receipt.logs, log);
    const movements: readonly Movement[] = movementsOf(receipt.logs, token, domain.escrow);
    const calls = sent.to === domain.escrow ? decodeCalls(domain, leaseId, sent.input) : undefined;
    const { gasUsed, effectiveGasPrice: weiPerGas } = receipt;
    transactions.push({ hash, place: placeOf(first, times), gasUsed, weiPerGas, calls, movements });
  }
  return transactions;
}

/** The log and the receipt are two answers about one event. */
function mustContain(logs: readonly RpcLog[], wanted: RpcLog): void {
  const found = logs.find(({ logIndex }) => logIndex === wanted.logIndex);
  const same =
    found?.address === wanted.address && found.data === wanted.data && found.topics.join() === wanted.topics.join();
  if (!same) throw lie(`log ${wanted.logIndex} of block ${wanted.blockNumber}`, 'its receipt has another one');
}

/** Undefined where the endpoint has no state of that block any more. */
async function readStoredIfKept(
  reader: ChainReader,
  escrow: Address,
  leaseId: LeaseId,
  block: bigint,
): Promise<StoredLease | undefined> {
  try {
    return await readStored(reader, escrow, leaseId, block);
  } catch (thrown) {
    if (thrown instanceof LatentError && thrown.code !== 'MESSAGE_INVALID' && thrown.code !== 'CHAIN_DISAGREES') {
      return undefined;
    }
    throw thrown;
  }
}

function lie(what: string, why: string): LatentError {
  return new LatentError('MESSAGE_INVALID', `The endpoint contradicts itself about ${what}: ${why}.`, {
    hint: 'Ask another endpoint, or again: the chain may have been reorganised meanwhile.',
    retry: 'later',
  });
}
