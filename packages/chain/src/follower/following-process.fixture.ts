import { writeSync } from 'node:fs';
import { openStore, silentLogger, systemClock } from '@latent/kit';
import { openEndpoints } from '../endpoints/open-endpoints.ts';
import { deployment, effects } from './follow-bench.fixture.ts';
import { followerMigrations } from './follower-schema.ts';
import { openFollower } from './open-follower.ts';

/** A process that follows a chain and writes down what it is told, for tests that kill it. */
const [, , path = '', url = ''] = process.argv;
const store = openStore({ path, migrations: [...followerMigrations, effects] });
const endpoints = openEndpoints({ chainId: 31_337, urls: [url] }, { clock: systemClock, logger: silentLogger });
const follower = openFollower({
  ...{ endpoints, deployment, store, clock: systemClock, logger: silentLogger },
  ...{ confirmations: 2n, windowBlocks: 4n, maxRangeBlocks: 3n, pollMs: 1 },
});
follower.consume({
  name: 'writer',
  view: 'latest',
  from: 'start',
  take: (notices) => {
    for (const { sequence, kind, event } of notices) {
      const place = `${event.raw.blockHash}/${event.raw.logIndex}`;
      store.run('INSERT INTO effect VALUES (?, ?, ?)', [sequence, kind, place]);
    }
    writeSync(1, 'told\n');
  },
});
await follower.follow(new AbortController().signal);
