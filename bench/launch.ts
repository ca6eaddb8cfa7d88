import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@latent/kit';
import type { Requirements } from '@latent/protocol';
import { orderForJob, placeOrder } from '@latent/sdk';
import type { Benchmark, BenchmarkOptions, Table } from './harness/benchmark.ts';
import { type LocalNetwork, withLocalNetwork } from './harness/local-network.ts';
import { percentile, spread, spreadColumns } from './harness/percentile.ts';
import { type LaunchTimes, type LaunchWishes, launchOnce } from './launch/launch-once.ts';
import { prepareSleepingJob } from './launch/sleeping-job.ts';

const RUNS = 20;
const OPERATORS = 6;
const POLL_MS = 200;
/** Long enough for a hold to lapse. */
const FREE_WITHIN_MS = 90_000;

const phases = [
  { name: 'order and match', of: 'order' },
  { name: 'holds', of: 'holds' },
  { name: 'opening transaction mined', of: 'open' },
  { name: 'attach', of: 'attach' },
  { name: 'files', of: 'files' },
  { name: 'start until all ranks run', of: 'start' },
  { name: 'order until all ranks run', of: 'total' },
  { name: 'order until the renter sees it', of: 'seen' },
] as const satisfies readonly { readonly name: string; readonly of: keyof LaunchTimes }[];

/** How long a renter waits for a cluster. */
export const launch: Benchmark = {
  name: 'launch',
  summary:
    'from an order to four running ranks on four operators, phase by phase, on a local network of real processes',
  async run(options) {
    const { runs = RUNS, signal } = options;
    const folder = await mkdtemp(join(tmpdir(), 'latent-bench-'));
    try {
      const job = await prepareSleepingJob(folder, signal);
      return await withLocalNetwork(options, { operators: OPERATORS }, async (network) => {
        const isolation = network.devnet.isolation;
        const requirements = orderForJob(job.job, { maxPricePerDeviceHour: undefined, seconds: undefined, isolation });
        const wishes = { ...job, requirements, signal };
        const perSecond = await repeat(network, wishes, { ...options, runs }, 'with 1 s blocks');
        await network.control.setAutomine(true);
        const atOnce = await repeat(network, wishes, { ...options, runs }, 'mined at once');
        return {
          tables: [
            table('A block each second', perSecond),
            table('Each transaction mined at once: what is left without block time', atOnce),
          ],
          aims: [],
          notes: [
            `${runs} launches each, one after the other on one network of ${OPERATORS} operators and two books, four machines in each; the lease is closed after each, and not timed. The first counts as well.`,
            'Everything, chain included, shares the cores of this one machine; there is no distance between them.',
            'The job sleeps; its files are 64 KiB. Its end of start is what the last agent notes; the renter’s client sees it when it looks next.',
            blockTime(perSecond, atOnce),
            `Jobs run in ${isolation === 'none' ? 'no sandbox, as this machine has none' : 'the sandbox'}. Renting by the sdk, in one process: \`latent launch\` also starts a process for the meter.`,
          ],
        };
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function blockTime(perSecond: readonly LaunchTimes[], atOnce: readonly LaunchTimes[]): string {
  const median = (times: readonly LaunchTimes[], of: keyof LaunchTimes) =>
    percentile(
      times.map((timed) => timed[of]),
      50,
    ) ?? Number.NaN;
  const waited = median(perSecond, 'open') - median(atOnce, 'open');
  const total = median(perSecond, 'total');
  return `Block time is ${Math.round(waited)} ms of the ${Math.round(total)} ms of the first table (medians of the opening transaction, mined each second and at once): a launch comes at any moment between two blocks.`;
}

function table(title: string, times: readonly LaunchTimes[]): Table {
  const rows = phases.map(({ name, of }) => ({ name, figures: spread(times.map((timed) => timed[of])) }));
  return { title, columns: spreadColumns('ms'), rows };
}

async function repeat(
  network: LocalNetwork,
  wishes: LaunchWishes,
  { runs, signal, onProgress }: BenchmarkOptions & { readonly runs: number },
  how: string,
): Promise<readonly LaunchTimes[]> {
  const times: LaunchTimes[] = [];
  for (let run = 1; run <= runs; run += 1) {
    await untilFree(network, wishes.requirements, signal);
    const timed = await launchOnce(network, wishes);
    onProgress(`launch ${run} of ${runs} ${how}: ${Math.round(timed.total)} ms`);
    times.push(timed);
  }
  return times;
}

/** Agents free their devices when they see that the lease is closed, and books hear of it then. */
async function untilFree(
  { chain, devnet }: LocalNetwork,
  requirements: Requirements,
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(FREE_WITHIN_MS)]);
  for (;;) {
    const nowSeconds = Math.floor(systemClock.nowMs() / 1_000);
    const { chosen } = await placeOrder(chain, { books: devnet.books, requirements, nowSeconds, signal: limit });
    if (chosen.length >= requirements.machines) return;
    await systemClock.sleep(POLL_MS, { signal: limit });
  }
}
