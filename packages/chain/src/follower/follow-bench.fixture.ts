import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, createManualClock, openStore, type Store, silentLogger } from '@latent/kit';
import type { EndpointsOptions } from '../endpoints/endpoints.ts';
import type { FakeEndpoint } from '../endpoints/fake-chain.fixture.ts';
import { openEndpoints } from '../endpoints/open-endpoints.ts';
import { type EventAbis, eventAbis } from './decode-event.ts';
import { ESCROW, OPERATORS } from './escrow-events.fixture.ts';
import type { Follower, FollowerOptions } from './follower.ts';
import { followerMigrations } from './follower-schema.ts';
import { openFollower } from './open-follower.ts';

export const deployment = { chainId: 31_337, escrow: ESCROW, operators: OPERATORS, deployedAtBlock: '1' };
export const effects =
  'CREATE TABLE effect (sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL, place TEXT NOT NULL) STRICT';

/** A store in a folder of its own, and followers over it. */
export interface FollowBench extends Disposable {
  readonly path: string;
  readonly store: Store;
  /** A follower as a program opens it when it starts. */
  open(
    served: readonly Pick<FakeEndpoint, 'url'>[],
    options?: Partial<FollowerOptions> & { readonly quorum?: number; readonly abis?: EventAbis },
  ): Follower;
}

export function openFollowBench(clock: Clock = createManualClock(1_800_000_000_000)): FollowBench {
  const folder = mkdtempSync(join(tmpdir(), 'latent-follower-'));
  const path = join(folder, 'chain.sqlite');
  const store = openStore({ path, migrations: [...followerMigrations, effects] });
  return {
    path,
    store,
    open: (served, { quorum, abis = eventAbis, ...options } = {}) => {
      const urls = served.map(({ url }) => url);
      const rule: EndpointsOptions = { chainId: 31_337, urls, ...(quorum === undefined ? {} : { quorum }) };
      const endpoints = openEndpoints(rule, { clock, logger: silentLogger });
      const few = { confirmations: 2n, windowBlocks: 4n, maxRangeBlocks: 3n };
      return openFollower({ endpoints, deployment, store, clock, logger: silentLogger, ...few, ...options }, abis);
    },
    [Symbol.dispose]: () => {
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
