import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChainHead, type FollowedLease, type Follower, openEndpoints, type Sender } from '@latent/chain';
import { createManualClock, type ManualClock, openStore, silentLogger } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { keccak256, toHex } from 'viem';
import { createRateLimiter } from './http/rate-limiter.ts';
import { accountOf, domain, OPENED_AT, operatorOf } from './lease.fixture.ts';
import { type KeeperOptionsInput, keeperOptionsSchema } from './options.ts';
import { createPaperStore, papersMigration } from './papers/paper-store.ts';
import { createDeedStore, deedsMigration } from './settle/deed-store.ts';
import type { WatchContext } from './watch-context.ts';

export interface WatchBench extends AsyncDisposable {
  readonly context: WatchContext;
  readonly clock: ManualClock;
  /** What the chain is said to be, by view. */
  readonly chain: { latest: FollowedLease[]; confirmed: FollowedLease[]; seconds: number };
  /** The process killed and started again: nothing but the disk is left. */
  restart(): WatchContext;
}

/** A daemon's context over a real store; its chain is what the test says, and nothing can be sent. */
export async function openWatchBench(
  change: Partial<KeeperOptionsInput> = {},
  parts: Partial<WatchContext> = {},
): Promise<WatchBench> {
  const dataDir = await mkdtemp(join(tmpdir(), 'latent-watch-'));
  const clock = createManualClock(OPENED_AT * 1_000);
  const chain: WatchBench['chain'] = { latest: [], confirmed: [], seconds: OPENED_AT + 100 };
  const options = keeperOptionsSchema.parse({
    deployment: {
      ...{ chainId: domain.chainId, rpcUrl: 'http://127.0.0.1:1', escrow: domain.escrow },
      ...{ token: operatorOf(8), operators: operatorOf(9), deployedAtBlock: '0' },
    },
    ...{ dataDir, for: [operatorOf(0)], ...change },
  });
  const closers: (() => void)[] = [];
  const open = (): WatchContext => {
    const store = openStore({ path: join(dataDir, 'keeper.sqlite'), migrations: [papersMigration, deedsMigration] });
    closers.push(() => store.close());
    return {
      ...{ kind: 'keeper', options, domain, clock, logger: silentLogger, account: accountOf('keeper') },
      policy: {
        ...{ worksFor: (account) => account === operatorOf(0), lastVoucherOnly: false, gasTimes: 1_000n },
        ...{
          minWorth: 20_000_000n,
          maxAgeSeconds: 86_400,
          patienceSeconds: 300,
          spreadSeconds: 0,
          freedSeconds: 3_600,
        },
      },
      papers: createPaperStore(store),
      deeds: createDeedStore(store),
      endpoints: openEndpoints(
        { chainId: domain.chainId, urls: ['http://127.0.0.1:1'] },
        { clock, logger: silentLogger },
      ),
      follower: fakeFollower(chain),
      sender: silentSender,
      chainClock: { nowSeconds: () => chain.seconds },
      leaseLimiter: createRateLimiter(options.papersPerMinute, clock),
      signal: new AbortController().signal,
      ...parts,
    };
  };
  return {
    ...{ context: open(), clock, chain },
    restart: () => {
      closers.pop()?.();
      return open();
    },
    [Symbol.asyncDispose]: async () => {
      closers.pop()?.();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function fakeFollower(chain: WatchBench['chain']): Follower {
  const head = (): ChainHead => ({ number: 1n, hash: keccak256(toHex(chain.seconds)), timestamp: chain.seconds });
  const status = () => ({ head: head(), confirmed: head(), behindBlocks: 0n, problem: undefined });
  return {
    follow: async () => undefined,
    catchUp: async () => status(),
    ...{ head, status },
    leaseHistory: (leaseId, view = 'latest') => chain[view].find((lease) => lease.leaseId === leaseId),
    openLeases: (view = 'latest') => chain[view].filter(({ state }) => state === 'active' || state === 'stopping'),
    events: () => [],
    consume: () => () => undefined,
  };
}

const unreachable = () => Promise.reject(new LatentError('CHAIN_UNREACHABLE', 'The chain does not answer.'));

const silentSender: Sender = {
  send: unreachable,
  tend: async () => undefined,
  find: () => undefined,
  status: () => ({ open: [], problem: undefined }),
};
