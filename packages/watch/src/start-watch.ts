import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { followerMigrations, openEndpoints, openFollower, openSender, senderMigrations } from '@latent/chain';
import { type Clock, type Logger, loadOrCreateSecret, openStore, type Store } from '@latent/kit';
import { LatentError, leaseEscrowAbi, toLatentError } from '@latent/protocol';
import { toChainError, withChain } from '@latent/sdk';
import { bytesToHex, type LocalAccount } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { createChainClock } from './chain/chain-clock.ts';
import { claimFolder, folderMigration } from './claim-folder.ts';
import { createRateLimiter } from './http/rate-limiter.ts';
import { serveApi } from './http/serve-api.ts';
import type { WatchOptions } from './options.ts';
import { createPaperStore, papersMigration } from './papers/paper-store.ts';
import type { Policy } from './policy/policy.ts';
import { createDeedStore, deedsMigration } from './settle/deed-store.ts';
import { tendLeases } from './settle/tend-leases.ts';
import type { WatchContext } from './watch-context.ts';

export interface WatchDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Ends the daemon. What is under way is gone on with at the next start. */
  readonly signal: AbortSignal;
}

export interface RunningWatch {
  /** e.g. `http://127.0.0.1:7101` */
  readonly url: string;
  /** Pays the gas: it needs ether. */
  readonly account: LocalAccount['address'];
  /** Resolves when it has ended, after its signal aborted. */
  readonly ended: Promise<void>;
}

/** What a keeper and a watchtower share: all but what they are told to do. */
export async function startWatch(
  kind: WatchContext['kind'],
  options: WatchOptions,
  policy: Policy,
  dependencies: WatchDependencies,
): Promise<RunningWatch> {
  const { clock, logger, signal } = dependencies;
  const { deployment, dataDir } = options;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const account = await loadAccount(kind, dataDir, dependencies.randomBytes);
  const stores: Store[] = [];
  const open = (name: string, migrations: readonly string[]) => {
    const store = openStore({ path: join(dataDir, `${name}.sqlite`), migrations });
    stores.push(store);
    return store;
  };
  try {
    const folder = claimFolder(open('daemon', [folderMigration]), dataDir);
    const own = open(kind, [papersMigration, deedsMigration]);
    const urls = options.endpoints ?? [deployment.rpcUrl];
    const endpoints = openEndpoints({ chainId: deployment.chainId, urls }, { clock, logger });
    const { pollMs } = options;
    const follower = openFollower({
      endpoints,
      deployment,
      store: open('follower', followerMigrations),
      clock,
      logger,
      pollMs,
    });
    const sender = openSender({
      ...{ endpoints, account, store: open('sender', senderMigrations), clock, logger },
      confirmations: BigInt(options.confirmations),
    });
    const context: WatchContext = {
      ...{ kind, options, policy, account, endpoints, follower, sender, clock, logger, signal },
      domain: { chainId: deployment.chainId, escrow: deployment.escrow },
      papers: createPaperStore(own),
      deeds: createDeedStore(own),
      chainClock: createChainClock(clock, () => follower.head()),
      leaseLimiter: createRateLimiter(options.papersPerMinute, clock),
    };
    const feeBps = await readFee(context);
    const served = await serveApi(context);
    folder.announce(served.url);
    logger.info({ url: served.url, account: account.address, kind }, 'ready');
    const ended = Promise.all([tendLeases(context, feeBps), sender.tend(signal)])
      .finally(() => served.close())
      .finally(() => {
        folder.release();
        for (const store of stores) store.close();
        logger.info({ url: served.url }, 'ended');
      })
      .then(() => undefined);
    return { url: served.url, account: account.address, ended };
  } catch (thrown) {
    for (const store of stores) store.close();
    throw thrown;
  }
}

/** The key is made where there is none; whoever runs the daemon sends it ether. */
async function loadAccount(
  kind: WatchContext['kind'],
  dataDir: string,
  randomBytes: WatchDependencies['randomBytes'],
): Promise<LocalAccount> {
  const secret = await loadOrCreateSecret(join(dataDir, 'keys', `${kind}.key`), 32, randomBytes);
  try {
    return privateKeyToAccount(bytesToHex(secret));
  } catch (cause) {
    throw new LatentError('CONFIG_INVALID', `The key of the ${kind} is not one.`, { cause });
  }
}

/** Fixed when the escrow was made, and asked for once. Waits for the chain. */
async function readFee({ endpoints, domain, logger, signal }: WatchContext): Promise<number> {
  return withChain(
    async () => {
      try {
        return await endpoints.public.readContract({
          ...{ address: domain.escrow, abi: leaseEscrowAbi, functionName: 'feeBps' },
        });
      } catch (thrown) {
        throw toChainError(thrown);
      }
    },
    { signal, onWaiting: (error) => logger.warn({ error: toLatentError(error).message }, 'waiting for the chain') },
  );
}
