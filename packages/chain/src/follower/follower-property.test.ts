import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFakeChain, type FakeChain, type FakeLog, serveChain } from '../endpoints/fake-chain.fixture.ts';
import { escrowLog, leaseIdOf } from './escrow-events.fixture.ts';
import { openFollowBench } from './follow-bench.fixture.ts';
import type { ChainNotice, Follower, View } from './follower.ts';

type Step =
  | { readonly do: 'mine'; readonly blocks: readonly (readonly FakeLog[])[] }
  | { readonly do: 'take back'; readonly depth: number }
  | { readonly do: 'catch up' }
  | { readonly do: 'restart' };

const lease = fc.integer({ min: 1, max: 4 }).map(leaseIdOf);
const event: fc.Arbitrary<FakeLog> = fc.oneof(
  lease.map((id) => escrowLog('Opened', id)),
  fc.tuple(lease, fc.bigInt(0n, 99n)).map(([id, units]) => escrowLog('Paid', id, { units: [units], charged: units })),
  fc.tuple(lease, fc.integer({ min: 1, max: 99 })).map(([id, stopAt]) => escrowLog('Stopping', id, { stopAt })),
  lease.map((id) => escrowLog('Closed', id)),
);
const block = fc.array(event, { maxLength: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(block, { minLength: 1, maxLength: 7 }).map((blocks) => ({ do: 'mine', blocks }) as const),
  },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 9 }).map((depth) => ({ do: 'take back', depth }) as const) },
  { weight: 3, arbitrary: fc.constant({ do: 'catch up' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' } as const) },
);

const VIEWS: readonly View[] = ['latest', 'confirmed'];
const everything = (follower: Follower) =>
  VIEWS.map((view) => ({
    head: follower.head(view)?.hash,
    events: follower.events({ view }).map(({ name, raw }) => ({ name, ...raw })),
    leases: [1, 2, 3, 4].map((seed) => follower.leaseHistory(leaseIdOf(seed), view)),
    open: follower.openLeases(view).map(({ leaseId }) => leaseId),
  }));

/** What a consumer has left of a view; a notice that does not fit what came before is an error. */
function keepAccount() {
  const places: string[] = [];
  const take = (notices: readonly ChainNotice[]) => {
    for (const {
      kind,
      event: { raw },
    } of notices) {
      const place = `${raw.blockHash}/${raw.logIndex}`;
      if (kind === 'new') places.push(place);
      else if (places.pop() !== place) throw new Error(`${place} was taken back, but is not the last`);
    }
  };
  return { places, take };
}

function apply(chain: FakeChain, done: Step): void {
  if (done.do === 'mine') for (const logs of done.blocks) chain.mine(logs);
  if (done.do === 'take back') chain.takeBack(Math.min(done.depth, chain.blocks.length - 1));
}

describe('whatever the chain does', () => {
  test('what is known is what a fresh scan of it finds, and consumers were told exactly that', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const chain = createFakeChain();
        chain.mine();
        await using served = await serveChain(chain);
        using bench = openFollowBench();
        const accounts = new Map(VIEWS.map((view) => [view, keepAccount()]));
        const start = () => {
          const follower = bench.open([served]);
          for (const [view, { take }] of accounts) follower.consume({ name: view, view, from: 'start', take });
          return follower;
        };
        let follower = start();
        for (const done of steps) {
          apply(chain, done);
          if (done.do === 'catch up') await follower.catchUp();
          if (done.do === 'restart') follower = start();
        }
        // A chain that is only shorter, with no other block, cannot be told from an endpoint that lags.
        for (let extra = 0; extra < 10; extra += 1) chain.mine();
        await follower.catchUp();
        using other = openFollowBench();
        const fresh = other.open([served]);
        await fresh.catchUp();
        expect(everything(follower)).toEqual(everything(fresh));
        for (const [view, { places }] of accounts) {
          expect(places).toEqual(follower.events({ view }).map(({ raw }) => `${raw.blockHash}/${raw.logIndex}`));
        }
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
