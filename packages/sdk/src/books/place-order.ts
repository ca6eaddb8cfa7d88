import {
  type Candidate,
  LatentError,
  type MatchResult,
  matchOrder,
  operatorsAbi,
  type Requirements,
  type SignedAsk,
  toLatentError,
} from '@latent/protocol';
import type { PeerAddress, Transport } from '@latent/transport';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';
import { askBook } from './ask-book.ts';
import { type CheckedAsk, checkAnswer } from './check-answer.ts';

export interface PlaceOrderParameters {
  /** At least one; two or more so that none can withhold. */
  readonly books: readonly string[];
  readonly requirements: Requirements;
  readonly nowSeconds: number;
  /**
   * Gets ready meanwhile what will be wanted next: links to the books, then connections to the agents that are about to be chosen, while
   * the chain is asked about them.
   */
  readonly transport?: Transport | undefined;
  readonly signal: AbortSignal;
}

export interface PlacedOrder extends MatchResult {
  /** Every candidate with the signature that backs it, by ask id. */
  readonly signed: ReadonlyMap<string, SignedAsk>;
  readonly candidates: readonly Candidate[];
  /** What books got wrong, and books that did not answer. The order stands without them. */
  readonly faults: readonly LatentError[];
}

/**
 * Sends an order to all books at once, checks every signed ask in the answers, also against the chain, merges them and
 * matches with the same matcher as the books'.
 * @throws LatentError BOOK_UNREACHABLE if no book answered, CHAIN_UNREACHABLE. A match that is too small is no error here:
 * `chosen` is empty and `relaxations` say what would match.
 */
export async function placeOrder(client: ChainClient, parameters: PlaceOrderParameters): Promise<PlacedOrder> {
  const { books, requirements, nowSeconds, transport, signal } = parameters;
  transport?.prepare({ books });
  const answers = await Promise.all(
    books.map(async (book) => {
      try {
        return await checkAnswer(
          client.domain,
          book,
          requirements,
          await askBook(book, requirements, signal),
          nowSeconds,
        );
      } catch (thrown) {
        signal.throwIfAborted();
        return toLatentError(thrown);
      }
    }),
  );
  const faults: LatentError[] = [];
  const merged = new Map<string, CheckedAsk>();
  for (const answer of answers) {
    if (answer instanceof LatentError) {
      faults.push(answer);
      continue;
    }
    faults.push(...answer.faults);
    for (const ask of answer.asks) merged.set(ask.candidate.id, merge(merged.get(ask.candidate.id), ask));
  }
  if (answers.every((answer) => answer instanceof LatentError)) {
    throw new LatentError('BOOK_UNREACHABLE', `None of ${books.length} books answered the order.`, {
      details: { books: [...books] },
      hint: faults[0]?.message ?? 'Give a book with --book.',
      cause: faults[0],
    });
  }
  transport?.prepare({ peers: likelyPeers(parameters, [...merged.values()]) });
  const known = await dropUnknownAgents(client, [...merged.values()], faults);
  const candidates = known.map(({ candidate }) => candidate);
  return {
    ...matchOrder(requirements, candidates),
    candidates,
    signed: new Map(known.map(({ candidate, signed }) => [candidate.id, signed])),
    faults,
  };
}

/**
 * The agents that will be asked for holds, if the chain knows them all. Anybody can sign an ask, and may put anything into its hints:
 * until the chain has answered they lead no further than to the books that are asked anyway.
 */
function likelyPeers(
  { books, requirements }: PlaceOrderParameters,
  asks: readonly CheckedAsk[],
): readonly PeerAddress[] {
  const ownBooks = new Set(books.map((book) => `book+${book}`));
  const { chosen, spares } = matchOrder(
    requirements,
    asks.map(({ candidate }) => candidate),
  );
  return [...chosen, ...spares]
    .map(({ resource: { peerKey, hints } }) => ({ key: peerKey, hints: hints.filter((hint) => ownBooks.has(hint)) }))
    .filter(({ hints }) => hints.length > 0);
}

/** Presence and free devices are only hints of a book; the agent's hold decides. So the more hopeful statement is taken. */
function merge(before: CheckedAsk | undefined, ask: CheckedAsk): CheckedAsk {
  if (before === undefined) return ask;
  return {
    signed: ask.signed,
    candidate: {
      ...ask.candidate,
      present: before.candidate.present || ask.candidate.present,
      freeDevices: Math.max(before.candidate.freeDevices, ask.candidate.freeDevices),
    },
  };
}

async function dropUnknownAgents(
  client: ChainClient,
  asks: readonly CheckedAsk[],
  faults: LatentError[],
): Promise<readonly CheckedAsk[]> {
  if (asks.length === 0) return asks;
  const agents = await client.public
    .readContract({
      address: client.deployment.operators,
      abi: operatorsAbi,
      functionName: 'agents',
      args: [asks.map(({ candidate }) => candidate.ask.agentKey)],
    })
    .catch((thrown: unknown) => {
      throw toChainError(thrown);
    });
  return asks.filter(({ candidate: { id, ask } }, index) => {
    const agent = agents[index];
    if (agent?.operator === ask.operator && agent.epoch === ask.epoch) return true;
    const cancelled = agent?.operator === ask.operator;
    faults.push(
      new LatentError(
        cancelled ? 'ASK_CANCELLED' : 'ASK_UNKNOWN_AGENT',
        cancelled
          ? `Ask ${id} is of epoch ${ask.epoch}; its agent is at epoch ${agent.epoch}.`
          : `Agent ${ask.agentKey} of ask ${id} does not belong to operator ${ask.operator} on chain.`,
        { details: { ask: id, agentKey: ask.agentKey } },
      ),
    );
    return false;
  });
}
