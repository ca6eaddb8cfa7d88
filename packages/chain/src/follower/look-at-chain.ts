import { LatentError } from '@latent/protocol';
import type { Address, Hex } from 'viem';
import type { BlockHeader, RawLog } from '../endpoints/chain-shapes.ts';
import type { Endpoint, Endpoints } from '../endpoints/endpoints.ts';
import { mayHoldLogs } from '../endpoints/logs-bloom.ts';
import type { ChainHead } from './follower.ts';
import type { Ledger } from './ledger.ts';

/** A contract that is followed. */
export interface FollowedContract {
  readonly address: Address;
  /** First topics of its events. */
  readonly topics: readonly Hex[];
}

export interface ReadBlock {
  readonly header: BlockHeader;
  readonly logs: readonly RawLog[];
}

interface Seen {
  readonly head: BlockHeader;
  readonly endpoint: string;
  /** The head that was known when the chain was looked at. */
  readonly known: ChainHead | undefined;
}

/** What the chain is, as one endpoint has it, beside what is known. */
export type Look = Seen &
  (
    | { readonly kind: 'same' }
    /** So far behind that blocks are not looked at one by one. */
    | { readonly kind: 'far' }
    | { readonly kind: 'near'; readonly blocks: readonly ReadBlock[] }
    /** The known head is not on the chain; `ancestor` is the highest known block that is. */
    | { readonly kind: 'reorganised'; readonly ancestor: ChainHead | undefined }
  );

export interface LookSettings {
  readonly firstBlock: bigint;
  readonly windowBlocks: bigint;
  readonly contracts: readonly FollowedContract[];
  /** A head above it is not believed; undefined: nothing to compare with. */
  readonly highestHead: () => bigint | undefined;
}

/** Blocks that are read one by one before what was read is written. */
const NEAR_BATCH = 32;

/** Compares what is known with one endpoint's chain, and reads on where it goes on from there. */
export async function lookAtChain(endpoint: Endpoint, ledger: Ledger, settings: LookSettings): Promise<Look> {
  const head = await mustHave(endpoint, 'latest');
  const highest = settings.highestHead();
  if (highest !== undefined && head.number > highest) throw beyondAll(endpoint, head, highest);
  const known = ledger.head('latest');
  const seen = { head, endpoint: endpoint.name, known };
  if (known !== undefined && known.number >= head.number) {
    return (await isOnChain(endpoint, ledger, head)) ? { ...seen, kind: 'same' } : reorganised(endpoint, ledger, seen);
  }
  const next = known === undefined ? settings.firstBlock : known.number + 1n;
  if (next > head.number) return { ...seen, kind: 'same' };
  const first = await mustHave(endpoint, next);
  if (known !== undefined && first.parentHash !== known.hash) return reorganised(endpoint, ledger, seen);
  if (head.number - next >= settings.windowBlocks) return { ...seen, kind: 'far' };
  return { ...seen, kind: 'near', blocks: await readNear(endpoint, { first, head }, settings) };
}

/** The endpoint's head is no higher than the known one: it may lag, or have gone another way. */
async function isOnChain(endpoint: Endpoint, ledger: Ledger, head: BlockHeader): Promise<boolean> {
  const kept = ledger.keptAtOrBelow(head.number);
  // Lower than anything that is known: it contradicts nothing.
  if (kept === undefined) return true;
  if (kept.number === head.number) return kept.hash === head.hash;
  return (await endpoint.block(kept.number))?.hash === kept.hash;
}

async function reorganised(endpoint: Endpoint, ledger: Ledger, seen: Seen): Promise<Look> {
  const ancestor = await findAncestor(ledger, seen.head.number, (number) => endpoint.block(number));
  return { ...seen, kind: 'reorganised', ancestor };
}

/** The highest block at or below `from` that is known and on the chain; undefined if there is none. */
export async function findAncestor(
  ledger: Ledger,
  from: bigint,
  blockOf: (number: bigint) => Promise<BlockHeader | undefined>,
): Promise<ChainHead | undefined> {
  let kept = ledger.keptAtOrBelow(from);
  while (kept !== undefined && (await blockOf(kept.number))?.hash !== kept.hash) {
    kept = ledger.keptAtOrBelow(kept.number - 1n);
  }
  return kept;
}

async function readNear(
  endpoint: Endpoint,
  { first, head }: { readonly first: BlockHeader; readonly head: BlockHeader },
  { contracts }: LookSettings,
): Promise<readonly ReadBlock[]> {
  const addresses = contracts.map(({ address }) => address);
  const blocks: ReadBlock[] = [];
  let header = first;
  for (;;) {
    // By hash: the logs are those of this very block, or there are none.
    blocks.push({ header, logs: await endpoint.logs({ addresses, blockHash: header.hash }) });
    if (header.number >= head.number || blocks.length === NEAR_BATCH) return blocks;
    const next = await endpoint.block(header.number + 1n);
    // It changed while it was read: what was read so far is a chain, and the next look sees the rest.
    if (next === undefined || next.parentHash !== header.hash) return blocks;
    header = next;
  }
}

/**
 * A block whose bloom says that there may be logs of a contract, of which the endpoint gave none. Most often the bloom is
 * just full; but endpoints do lose logs, those of the newest blocks above all. Everybody else is asked, and where there is
 * nobody else, the same endpoint in another way. A majority that has logs does not mend what was read: it is read again.
 * @throws LatentError CHAIN_DISAGREES
 */
export async function settleDoubt(
  endpoints: Endpoints,
  contracts: readonly FollowedContract[],
  { header, logs }: ReadBlock,
): Promise<void> {
  const doubted = contracts.filter(
    ({ address, topics }) =>
      mayHoldLogs(header.logsBloom, address, topics) && !logs.some((log) => log.address === address),
  );
  if (doubted.length === 0) return;
  const addresses = doubted.map(({ address }) => address);
  if (endpoints.size === 1) return endpoints.onOne((endpoint) => askReceipts(endpoint, header, addresses));
  const what = `the logs of block ${header.number}, whose bloom says that there may be some`;
  const work = async (endpoint: Endpoint) => {
    if ((await endpoint.block(header.hash)) === undefined) return undefined;
    return (await endpoint.logs({ addresses, blockHash: header.hash })).length;
  };
  try {
    const count = await endpoints.agree({
      what,
      work,
      inWords: (count) => `${count} logs`,
      explain: (one, other) => `Endpoint ${one.result < other.result ? one.endpoint : other.endpoint} has lost logs.`,
    });
    if (count !== undefined && count > 0) throw lostBySome(header, count);
  } catch (thrown) {
    // Nobody else to ask just now. What is confirmed later is compared again, by quorum.
    if (!(thrown instanceof LatentError && thrown.code === 'CHAIN_UNREACHABLE')) throw thrown;
  }
}

async function askReceipts(endpoint: Endpoint, header: BlockHeader, addresses: readonly Address[]): Promise<void> {
  const found = (await endpoint.blockLogs(header))?.filter(({ address }) => addresses.includes(address)) ?? [];
  if (found.length === 0) return;
  throw new LatentError(
    'CHAIN_DISAGREES',
    `Endpoint ${endpoint.name} has lost logs: of block ${header.number} it gives none, but its receipts hold ${found.length}.`,
    {
      hint: 'It is asked again. If it lasts, use another endpoint.',
      details: { endpoint: endpoint.name, block: header.number, logs: found.length },
    },
  );
}

/** The others are right, but they are not who was read from: it is asked last from now on. */
function lostBySome({ number }: BlockHeader, logs: number): LatentError {
  return new LatentError(
    'CHAIN_DISAGREES',
    `An endpoint has lost logs: of block ${number} it gave none, but others have ${logs}.`,
    {
      hint: 'The block is read again, from another endpoint.',
      details: { block: number, logs },
    },
  );
}

function beyondAll({ name }: Endpoint, { number }: BlockHeader, highest: bigint): LatentError {
  return new LatentError('MESSAGE_INVALID', `Endpoint ${name} states block ${number}; no other is near it.`, {
    hint: 'Another endpoint is asked. If it lasts, remove this one.',
    details: { endpoint: name, head: number, highest },
  });
}

async function mustHave(endpoint: Endpoint, at: bigint | 'latest'): Promise<BlockHeader> {
  const block = await endpoint.block(at);
  if (block !== undefined) return block;
  throw new LatentError(
    'MESSAGE_INVALID',
    `Endpoint ${endpoint.name} has no block ${at}, though its head is no lower.`,
    {
      hint: 'It is asked again; another endpoint may know it.',
      details: { endpoint: endpoint.name, block: String(at) },
    },
  );
}
