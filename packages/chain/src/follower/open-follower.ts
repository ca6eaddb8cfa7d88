import { LatentError, toLatentError } from '@latent/protocol';
import { RpcRequestError } from 'viem';
import { faultText } from '../endpoints/endpoint-faults.ts';
import type { Endpoints } from '../endpoints/endpoints.ts';
import { advance } from './advance.ts';
import type { AdvanceContext } from './advance-context.ts';
import { createConsumers } from './consumers.ts';
import { type EventAbis, eventAbis, firstTopics } from './decode-event.ts';
import type { Follower, FollowerOptions, FollowerStatus } from './follower.ts';
import { lostLogs } from './lease-table.ts';
import { openLedger } from './ledger.ts';
import { createMoves } from './moves.ts';
import { createReadRanges } from './read-ranges.ts';

const CONFIRMATIONS = 12n;
const WINDOW_BLOCKS = 64n;
const MAX_RANGE_BLOCKS = 2_000n;
const POLL_MS = 2_000;
const LONGEST_WAIT_MS = 30_000;
const CHECK_EVERY_MS = 30_000;
const MAX_EVENTS = 1_000;
/** A chain may grow by so much between two checks of its endpoints. */
const HEAD_SLACK_BLOCKS = 1_000n;

/**
 * Opens a follower over what its store holds. Asks nothing yet: see {@link Follower.follow}.
 * @param abis what logs are decoded by; by default those of the protocol
 * @throws LatentError CONFIG_INVALID
 */
export function openFollower(options: FollowerOptions, abis: EventAbis = eventAbis): Follower {
  const { endpoints, deployment, store, clock, logger, pollMs = POLL_MS } = options;
  const { confirmations, windowBlocks, maxRangeBlocks } = checked(options);
  const ledger = openLedger({ store, logger, deployment, abis, windowBlocks });
  const consumers = createConsumers({ store, logger }, ledger);
  const contracts = [
    { address: deployment.escrow, topics: firstTopics(abis.escrow) },
    { address: deployment.operators, topics: firstTopics(abis.operators) },
  ];
  const addresses = contracts.map(({ address }) => address);
  const context: AdvanceContext = {
    ...{ endpoints, ledger, logger },
    settings: {
      firstBlock: BigInt(deployment.deployedAtBlock),
      ...{ contracts, confirmations, windowBlocks, maxRangeBlocks },
      highestHead: () => plausibleHead(endpoints),
    },
    agreedLogs: createReadRanges({ endpoints, logger, addresses, maxRangeBlocks }),
  };
  let behindBlocks: bigint | undefined;
  let problem: LatentError | undefined;
  let underWay: Promise<void> = Promise.resolve();
  let checkedAtMs = Number.NEGATIVE_INFINITY;

  const status = (): FollowerStatus => ({
    ...{ head: ledger.head('latest'), confirmed: ledger.head('confirmed') },
    ...{ behindBlocks, problem },
  });

  async function goOn(signal: AbortSignal | undefined): Promise<FollowerStatus> {
    try {
      if (endpoints.size > 1 && clock.nowMs() - checkedAtMs >= CHECK_EVERY_MS) {
        checkedAtMs = clock.nowMs();
        await endpoints.check();
      }
      const moves = createMoves(ledger);
      do {
        if (signal?.aborted === true) throw new LatentError('CANCELLED', 'Following the chain was stopped.');
        behindBlocks = await advance(context);
        consumers.tellAll();
        if (behindBlocks > 0n) moves.assertGoingOn(behindBlocks);
      } while (behindBlocks > 0n);
      const unknown = ledger.leases.unknown('confirmed');
      problem = unknown.length === 0 ? undefined : lostLogs(unknown);
      return status();
    } catch (thrown) {
      const error = toFollowerError(thrown);
      if (error.code !== 'CANCELLED') problem = error;
      throw error;
    }
  }

  /** One at a time: a second caller looks after the first one has. */
  function catchUp(signal?: AbortSignal): Promise<FollowerStatus> {
    const mine = underWay.then(() => goOn(signal));
    underWay = mine.then(
      () => undefined,
      () => undefined,
    );
    return mine;
  }

  async function follow(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await catchUp(signal);
        failures = 0;
      } catch (thrown) {
        if (signal.aborted) return;
        failures += 1;
        const { code, message } = toLatentError(thrown);
        const log = code === 'CHAIN_DISAGREES' ? logger.error : logger.warn;
        log({ code, error: message, failures }, 'could not follow the chain; trying again');
      }
      const waitMs = Math.min(pollMs * 2 ** Math.min(failures, 10), Math.max(LONGEST_WAIT_MS, pollMs));
      await clock.sleep(waitMs, { signal }).catch(() => undefined);
    }
  }

  return {
    follow,
    catchUp,
    status,
    head: (view = 'latest') => ledger.head(view),
    leaseHistory: (leaseId, view = 'latest') => ledger.leases.find(view, leaseId),
    openLeases: (view = 'latest') => ledger.leases.open(view),
    events: ({ view = 'latest', after = { block: -1n, logIndex: -1 }, limit = MAX_EVENTS } = {}) =>
      ledger.events(view, after, Math.min(limit, MAX_EVENTS)),
    consume: consumers.add,
  };
}

/** Of what endpoints stated at the last check: a head far beyond what a quorum has reached is made up. */
function plausibleHead({ size, quorum, health }: Endpoints): bigint | undefined {
  if (size === 1) return undefined;
  const heads = health().flatMap(({ head }) => head ?? []);
  const reached = heads.sort((a, b) => (a < b ? 1 : -1))[quorum - 1];
  return reached === undefined ? undefined : reached + HEAD_SLACK_BLOCKS;
}

function checked(options: FollowerOptions) {
  const { confirmations = CONFIRMATIONS, maxRangeBlocks = MAX_RANGE_BLOCKS } = options;
  const windowBlocks = options.windowBlocks ?? (confirmations > WINDOW_BLOCKS ? confirmations : WINDOW_BLOCKS);
  if (confirmations >= 0n && windowBlocks >= confirmations && windowBlocks >= 1n && maxRangeBlocks >= 1n) {
    return { confirmations, windowBlocks, maxRangeBlocks };
  }
  throw new LatentError(
    'CONFIG_INVALID',
    `A window of ${windowBlocks} blocks, ${confirmations} confirmations and ranges of ${maxRangeBlocks} do not go together.`,
    { hint: 'The window is at least as long as the confirmations, and no number is negative.' },
  );
}

function toFollowerError(thrown: unknown): LatentError {
  if (!(thrown instanceof RpcRequestError)) return toLatentError(thrown);
  return new LatentError('CHAIN_UNREACHABLE', `The chain cannot be read: ${faultText(thrown)}.`, {
    hint: 'It is asked again. If it lasts, use another endpoint.',
    cause: thrown,
  });
}
