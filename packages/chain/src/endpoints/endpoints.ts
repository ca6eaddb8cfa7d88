import type { Clock, Logger } from '@latent/kit';
import type { Address, Chain, Hex, PublicClient } from 'viem';
import type { BlockHeader, RawLog, Receipt } from './chain-shapes.ts';

export interface EndpointsOptions {
  readonly chainId: number;
  /** 1 to 16 `http:` or `https:` URLs, the preferred one first. They may hold secrets: they are never logged or shown. */
  readonly urls: readonly string[];
  /**
   * How many endpoints have to answer, and answer the same, when a read decides about money. Default: 2, or 1 if there is
   * one. With 2 or more, a majority of those that answer is believed against the others: see {@link Endpoints.agree}.
   */
  readonly quorum?: number;
  /** Of one request. Default 10 s. */
  readonly timeoutMs?: number;
  /** Of one answer. Default 16 MiB. */
  readonly maxAnswerBytes?: number;
  /** An endpoint whose head is further behind the highest one is asked last. Default 3 blocks. */
  readonly maxLagBlocks?: bigint;
}

export interface EndpointsDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One endpoint. Every call throws the errors of {@link Endpoint.request}. */
export interface Endpoint {
  /** Its place in the list and its origin, such as `1 (https://rpc.example)`: no path, no query. */
  readonly name: string;
  /**
   * One JSON-RPC request; the result is whatever the endpoint said.
   * @throws LatentError CHAIN_UNREACHABLE, TIMED_OUT, MESSAGE_TOO_LARGE, MESSAGE_INVALID; viem's RpcRequestError where the
   * endpoint answered with an error of its own
   */
  request(method: string, params: readonly unknown[]): Promise<unknown>;
  /** undefined: it has no such block (yet). */
  block(at: bigint | Hex | 'latest'): Promise<BlockHeader | undefined>;
  /** In the chain's order. Checked to be what was asked for: addresses, range or block, no log twice. */
  logs(filter: LogFilter): Promise<readonly RawLog[]>;
  /** All logs of a block by way of its receipts; undefined where the endpoint does not know how. */
  blockLogs(block: BlockHeader): Promise<readonly RawLog[] | undefined>;
  /** Checked to be that of `hash`. undefined: it knows none. */
  receipt(hash: Hex): Promise<Receipt | undefined>;
  /** How many transactions of the account have been mined, as of that block. */
  transactionCount(account: Address, at: bigint | 'latest'): Promise<bigint>;
}

export type LogFilter = { readonly addresses: readonly Address[]; readonly blockHash: Hex } | LogRange;

/** Both ends included. */
export interface LogRange {
  readonly addresses: readonly Address[];
  readonly from: bigint;
  readonly to: bigint;
}

/** The logs of a range, and the block at its end on which those who answered agree. */
export interface AgreedLogs {
  readonly end: BlockHeader;
  readonly logs: readonly RawLog[];
}

export interface EndpointHealth {
  readonly name: string;
  /**
   * - `unknown`: not asked yet
   * - `well`: the last request was answered
   * - `failing`: the last requests were not; it is asked again from `retryAtMs` on, or sooner if no other answers
   * - `wrong-chain`: it serves another chain, and is left alone until `retryAtMs`
   */
  readonly state: 'unknown' | 'well' | 'failing' | 'wrong-chain';
  readonly failures: number;
  /** Unix milliseconds; 0 if it may be asked at once. */
  readonly retryAtMs: number;
  /** Why it failed last. */
  readonly problem: string | undefined;
  /** At the last {@link Endpoints.check}. */
  readonly head: bigint | undefined;
  /** How far behind the highest head it was at the last {@link Endpoints.check}. */
  readonly lagBlocks: bigint | undefined;
  /**
   * About what it last contradicted a majority, what it said and what they said; for an hour, in which it is asked last
   * where one is asked. It goes on being heard where all are.
   */
  readonly dissent: string | undefined;
}

export interface Broadcast {
  /** Computed from the bytes, whatever endpoints say. */
  readonly hash: Hex;
  /** How many endpoints have taken it or had it already. */
  readonly accepted: number;
  /** What the others said, by name. */
  readonly refusals: readonly { readonly endpoint: string; readonly message: string }[];
}

/** What is asked of a quorum. */
export interface Question<Result> {
  /** Names it in errors: "block 12". */
  readonly what: string;
  /** `undefined` is "not there (yet)", which contradicts nobody. */
  readonly work: (endpoint: Endpoint) => Promise<Result | undefined>;
  /** Two answers that read the same are the same. */
  readonly inWords: (result: Result) => string;
  /** What two different answers differ in. */
  readonly explain?: (one: Stated<Result>, other: Stated<Result>) => string | undefined;
}

export interface Stated<Result> {
  readonly endpoint: string;
  readonly result: Result;
}

/** The endpoints of one chain, none of which is believed more than it has to be. */
export interface Endpoints {
  readonly chainId: number;
  readonly chain: Chain;
  readonly size: number;
  readonly quorum: number;
  /** Reads that one endpoint answers; the next one is asked where it does not. Sends transactions to all endpoints. */
  readonly public: PublicClient;
  /**
   * Does work that has to see one chain, not a mixture: all of it at one endpoint, and all of it again at the next one
   * where that fails.
   * @throws what the work throws, and LatentError CHAIN_UNREACHABLE, CHAIN_WRONG when no endpoint can be asked
   */
  onOne<Result>(work: (endpoint: Endpoint) => Promise<Result>): Promise<Result>;
  /**
   * Asks all endpoints that can be asked. What a quorum of two at least says counts, if all that state anything say it, or
   * if they are more than half of all that answered: then the others are not believed, and named in {@link health}. So one
   * wrong endpoint of three holds nothing up. Where each has to say the same, the quorum is all of them.
   *
   * "Not there" is no answer that a majority could give against anybody: whoever lags says it too.
   * @returns undefined when a quorum says that it is not there, and nobody that it is
   * @throws LatentError CHAIN_DISAGREES with two answers, where there is no such majority, one against one for instance, or
   * the quorum is 1; CHAIN_UNREACHABLE when too few state it
   */
  agree<Result>(question: Question<Result>): Promise<Result | undefined>;
  /** The block of that number, by quorum. For blocks deep enough not to change. @throws as {@link agree} */
  agreedBlock(number: bigint): Promise<BlockHeader | undefined>;
  /** Logs of a range whose end is deep enough, by quorum; undefined if the quorum has not reached its end. @throws as {@link agree} */
  agreedLogs(range: LogRange): Promise<AgreedLogs | undefined>;
  /**
   * By quorum, its block included: number, hash, and that the transaction is in it. Endpoints that have lost it, though
   * they have its block, contradict it, and a majority that has it is believed against them. Not the other way round:
   * that there is none is believed only while no endpoint states one, since what was paid would be paid again.
   * @throws as {@link agree}
   */
  agreedReceipt(hash: Hex): Promise<Receipt | undefined>;
  /**
   * Mined transactions of an account: the most that a quorum has reached, so that neither one that lags nor one that
   * exaggerates decides. Other counts contradict nothing: blocks differ. @throws LatentError CHAIN_UNREACHABLE
   */
  transactionCount(account: Address, at: bigint | 'latest'): Promise<bigint>;
  /** Sends a signed transaction to every endpoint. @throws LatentError CHAIN_UNREACHABLE when none could be asked */
  broadcast(signed: Hex): Promise<Broadcast>;
  /** Asks every endpoint that may be asked for its head, which is how one that lags is noticed. */
  check(): Promise<readonly EndpointHealth[]>;
  health(): readonly EndpointHealth[];
}
