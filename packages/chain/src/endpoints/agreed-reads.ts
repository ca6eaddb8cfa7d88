import { LatentError } from '@latent/protocol';
import { type Address, type Hex, keccak256, RpcRequestError, stringToHex } from 'viem';
import { type AgreementContext, agree, askAll, mostSaid, overrule, tooFew } from './agree.ts';
import type { RawLog, Receipt } from './chain-shapes.ts';
import { faultText, isEndpointFault, mayBeTooMuch } from './endpoint-faults.ts';
import type { AgreedLogs, Endpoint, Endpoints, LogRange, Stated } from './endpoints.ts';
import { RangeRefused } from './range-refused.ts';

type AgreedReads = Pick<Endpoints, 'agree' | 'agreedBlock' | 'agreedLogs' | 'agreedReceipt' | 'transactionCount'>;

/** Reads that decide about money. */
export function createAgreedReads(context: AgreementContext): AgreedReads {
  return {
    agree: (question) => agree(context, question),
    agreedBlock: (number) =>
      agree(context, {
        what: `block ${number}`,
        work: (endpoint) => ownFault(endpoint.block(number)),
        inWords: ({ hash }) => `hash ${hash}`,
      }),
    agreedLogs: (range) =>
      agree(context, {
        what: `the logs of blocks ${range.from} to ${range.to}`,
        work: (endpoint) => ownFault(logsUpTo(endpoint, range)),
        inWords: ({ end, logs }) =>
          `${logs.length} logs, digest ${digestOf(logs).slice(0, 18)}, up to block ${end.hash}`,
        explain: (one, other) => missing(one, other) ?? missing(other, one),
      }),
    agreedReceipt: (hash) => agreedReceipt(context, hash),
    transactionCount: (account, at) => reachedCount(context, account, at),
  };
}

/** Nothing here can revert: whatever error an endpoint answers with is its own, and keeps nobody else from being heard. */
async function ownFault<Result>(asked: Promise<Result>): Promise<Result> {
  try {
    return await asked;
  } catch (thrown) {
    if (!(thrown instanceof RpcRequestError) || isEndpointFault(thrown)) throw thrown;
    throw new LatentError('CHAIN_UNREACHABLE', faultText(thrown), { cause: thrown });
  }
}

/**
 * undefined while the endpoint has not reached the end: it would answer with the logs that it has. Its block is looked at
 * after the logs, so that what was not there yet when they were read is not taken for read.
 */
async function logsUpTo(endpoint: Endpoint, range: LogRange): Promise<AgreedLogs | undefined> {
  const before = await endpoint.block(range.to);
  if (before === undefined) return undefined;
  const logs = await endpoint.logs(range).catch((thrown: unknown) => {
    if (range.to > range.from && mayBeTooMuch(thrown)) throw new RangeRefused(endpoint.name, range, thrown);
    throw thrown;
  });
  const end = await endpoint.block(range.to);
  return end === undefined || end.hash !== before.hash ? undefined : { end, logs };
}

const placeOf = (log: RawLog) => `${log.blockHash}/${log.logIndex}`;
/** Two logs that read the same are the same. */
export const logWords = (log: RawLog) =>
  [placeOf(log), log.transactionHash, log.address, ...log.topics, log.data].join(' ');

function digestOf(logs: readonly RawLog[]): Hex {
  return keccak256(stringToHex(logs.map(logWords).join('\n')));
}

/** What `one` has and `other` has not. */
function missing(one: Stated<AgreedLogs>, other: Stated<AgreedLogs>): string | undefined {
  if (one.result.end.hash !== other.result.end.hash) return 'They are on different forks.';
  const known = new Set(other.result.logs.map(logWords));
  const lost = one.result.logs.filter((log) => !known.has(logWords(log)));
  const [first] = lost;
  if (first === undefined) return undefined;
  const place = `block ${first.blockNumber}, index ${first.logIndex}`;
  return `Endpoint ${other.endpoint} lacks ${lost.length} logs that ${one.endpoint} has, the first in ${place}.`;
}

/** undefined: no such transaction was mined as far as the endpoint knows, which is up to block `head`. */
interface SeenReceipt {
  readonly head: bigint;
  readonly receipt: Receipt | undefined;
  /** The receipt's block, as the same endpoint has it, is that block and holds the transaction. */
  readonly isInBlock: boolean;
}

async function seeReceipt(endpoint: Endpoint, hash: Hex): Promise<SeenReceipt> {
  // The head first: a receipt that is not there after it was not there at that block.
  const head = (await endpoint.block('latest'))?.number ?? 0n;
  const receipt = await endpoint.receipt(hash);
  if (receipt === undefined) return { head, receipt, isInBlock: false };
  const block = await endpoint.block(receipt.blockNumber);
  return { head, receipt, isInBlock: block?.hash === receipt.blockHash && block.transactions.includes(hash) };
}

/**
 * That there is no receipt is never decided against one that states it, however few it is: an endpoint that has lost it says
 * the same, and whoever believes that pays a second time.
 */
async function agreedReceipt(context: AgreementContext, hash: Hex): Promise<Receipt | undefined> {
  const what = `the receipt of transaction ${hash}`;
  const { answers, reasons } = await askAll(context, (endpoint) => ownFault(seeReceipt(endpoint, hash)));
  const stated = answers.flatMap(({ result: { receipt, isInBlock }, ...said }) =>
    receipt === undefined ? [] : [{ ...said, receipt, isInBlock, words: statedWords(receipt, isInBlock) }],
  );
  const agreeing = mostSaid(stated.filter(({ isInBlock }) => isInBlock));
  const [first] = agreeing;
  const lost = answers.flatMap(({ result: { receipt, head }, ...said }) =>
    receipt !== undefined || first === undefined || head < first.receipt.blockNumber
      ? []
      : [{ ...said, words: `none, at block ${head}` }],
  );
  const others = [...stated.filter((voice) => !agreeing.includes(voice)), ...lost];
  if (others.length > 0) overrule(context, what, { agreeing, others, answered: answers.length });
  if (agreeing.length >= context.quorum) return first?.receipt;
  if (stated.length === 0 && answers.length >= context.quorum) return undefined;
  throw tooFew(what, { agreeing: agreeing.length, without: answers.length - stated.length, context, reasons });
}

function statedWords(receipt: Receipt, isInBlock: boolean): string {
  const words = receiptWords(receipt);
  return isInBlock ? words : `${words}, but its block ${receipt.blockNumber} does not hold it`;
}

function receiptWords({ status, blockNumber, blockHash, gasUsed, effectiveGasPrice, logs }: Receipt): string {
  const cost = `${gasUsed} gas at ${effectiveGasPrice} wei`;
  return `${status} in block ${blockNumber} (${blockHash}), ${cost}, ${logs.length} logs, digest ${digestOf(logs).slice(0, 18)}`;
}

/**
 * No majority is looked for: counts differ honestly from block to block. The highest that a quorum has reached cannot be
 * held up by one that lags or lies, and nobody dissents by being behind.
 */
async function reachedCount(context: AgreementContext, account: Address, at: bigint | 'latest'): Promise<bigint> {
  const { answers, reasons } = await askAll(context, (endpoint) => ownFault(endpoint.transactionCount(account, at)));
  const counts = answers.map(({ result }) => result).sort((a, b) => (a < b ? 1 : -1));
  const count = counts[context.quorum - 1];
  if (count !== undefined) return count;
  const what = `how many transactions ${account} has sent`;
  throw tooFew(what, { agreeing: counts.length, without: 0, context, reasons });
}
