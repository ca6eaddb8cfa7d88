import { LatentError } from '@latent/protocol';
import { findMissing } from '../e2e/nat/find-missing.ts';
import { aimAtMost, type Benchmark, type BenchmarkOptions, type Table } from './harness/benchmark.ts';
import { percentile, spread, spreadColumns } from './harness/percentile.ts';
import type { LaunchTimes } from './launch-peers/messages.ts';
import { type Market, openMarket } from './launch-peers/open-market.ts';

const RUNS = 20;
const MACHINES = 8;
const SPARES = 2;
/** Wanted between any two places; what came of it is measured. */
const ROUND_TRIP_MS = 100;
/** Of every uplink, each way. Four of these are a round trip, and the shapers of four uplinks take a millisecond or two each. */
const DELAY_MS = 23.5;
const AIM_MS = 1_000;

const stages = [
  { name: 'order', of: 'order' },
  { name: 'holds', of: 'holds' },
  { name: 'opening transaction sent', of: 'sent' },
  { name: 'every connection live, meanwhile', of: 'live' },
  { name: 'order until both', of: 'total' },
  { name: 'order until asked again after that', of: 'again' },
] as const satisfies readonly { readonly name: string; readonly of: keyof LaunchTimes }[];

/** How long a renter waits until a cluster of homes is its own, block time apart. */
export const launchPeers: Benchmark = {
  name: 'launch-peers',
  summary: 'from an order to 8 live connections to agents at home, 100 ms from each other and the book; needs root',
  async run({ runs = RUNS, signal, onProgress }) {
    const missing = await findMissing();
    if (missing !== undefined)
      throw new LatentError('CONFIG_INVALID', `There can be no lab of networks here: ${missing}.`);
    await using market = await openMarket({ machines: MACHINES, spares: SPARES, delayMs: DELAY_MS, onProgress });
    const { times, roundTripsMs } = await launchAgainAndAgain(market, { runs, signal, onProgress });
    const later = times.filter(({ isFirst }) => !isFirst);
    const count = (of: 'direct' | 'relayed') => times.reduce((sum, one) => sum + one[of], 0);
    return {
      tables: [
        stageTable(`${later.length} launches of a process that has launched before`, later),
        stageTable(
          'The first launch of the process',
          times.filter(({ isFirst }) => isFirst),
        ),
        {
          title: `Connections to the ${MACHINES} held agents of each launch, when the last of them has answered`,
          columns: [{ name: 'connections', unit: '1' }],
          rows: [
            { name: 'direct', figures: [count('direct')] },
            { name: 'relayed', figures: [count('relayed')] },
          ],
        },
        {
          title: 'A TCP connection from the renter to the book',
          columns: spreadColumns('ms'),
          rows: [{ name: 'round trip', figures: spread(roundTripsMs) }],
        },
      ],
      aims: [
        aim(`order until the transaction is sent and ${MACHINES} connections are live, p95`, 'total', later),
        aim('the same, all of them asked again only after it was sent, p95', 'again', later),
      ],
      notes: NOTES,
    };
  },
};

const NOTES: readonly string[] = [
  `A renter and ${MACHINES + SPARES} operators, each alone in a home behind a router (\`cone\` of e2e/nat/lab-spec.ts); the chain and one book at one public place. Every uplink delays each packet by ${DELAY_MS} ms each way, so that a round trip between any two places takes about ${ROUND_TRIP_MS} ms: see the table. Everything is real, and a process of its own, but for the agents' driver, which runs no jobs here.`,
  'Each launch has a new transport: a new key and UDP port, no link to the book, no connection to any agent. The HTTP connections to book and chain are those of Node, which keeps them for some seconds: between launches they are lost, but for what is asked to see whether all machines are free again, which is what `latent launch` has after it has asked the chain for its id.',
  'Holds are answers over connections that are encrypted from end to end. From them on two things go on at once: the opening transaction is sent, which ends when the chain has taken it (it is mined up to a second later, outside of the figure); and each held agent is asked another call, which it has to answer. When both are done, all are asked again, which takes one round trip more. The lease is closed afterwards, which is not timed.',
  'The book and the chain are reached without TLS, which would add a round trip to each connection.',
  'All processes, the shapers of the uplinks among them, share the cores of this machine.',
];

function aim(figure: string, of: 'total' | 'again', times: readonly LaunchTimes[]) {
  const measured = percentile(
    times.map((one) => one[of]),
    95,
  );
  return aimAtMost(figure, measured ?? Number.NaN, AIM_MS, 'ms');
}

function stageTable(title: string, times: readonly LaunchTimes[]): Table {
  const rows = stages.map(({ name, of }) => ({ name, figures: spread(times.map((one) => one[of])) }));
  return { title, columns: spreadColumns('ms'), rows };
}

async function launchAgainAndAgain(
  market: Market,
  { runs, signal, onProgress }: Pick<BenchmarkOptions, 'signal' | 'onProgress'> & { readonly runs: number },
) {
  const renter = market.startRenter();
  const { roundTripsMs } = await renter.next('ready');
  const times: LaunchTimes[] = [];
  while (times.length <= runs) {
    signal.throwIfAborted();
    renter.process.say('launch');
    const launched = await renter.next('launched');
    times.push(launched.times);
    const [order, holds, sent, live, total, again] = stages.map(({ of }) => Math.round(launched.times[of]));
    const parts = `${order} + ${holds} + (${sent} | ${live}) = ${total} ms`;
    onProgress(`launch ${times.length} of ${runs + 1}: ${parts}; asked again, ${again} ms`);
  }
  return { times, roundTripsMs };
}
