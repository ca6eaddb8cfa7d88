import { loadKernel, parameterSets } from '@latent/proof';
import {
  type Cheat,
  type CheatRow,
  cheats,
  countKindDraws,
  measureReadToMake,
  runCheats,
  runVariants,
  runWeaknesses,
  type VariantRow,
  type WeaknessRow,
} from '@latent/proof/cheats';
import { openCpuEngine } from '@latent/proof/provers';
import { aimAtMost, type Benchmark, type BenchmarkOptions, type Measurement, type Table } from './harness/benchmark.ts';

/** Where none accepted of so many leaves, in 95 % of cases, less than one in a thousand. */
const TRIALS = 4000;
/** For cheats that claim a tenth more and are accepted about once in a thousand: so many that the rate itself can be told. */
const CLOSE_TRIALS = 10_000;
/** Of cheats that time or nothing stops: samples play no part in them, and every trial ends as the first. */
const SAME_TRIALS = 200;
const TRIALS_PER_COMMITMENT = 1000;
const DRAWS = 100_000;
const DRAWS_PER_COMMITMENT = 10_000;
/** Of the set `cpu`: 256 MiB, which no cache holds. */
const MEASURED_LAYERS = 64;
const SEED = 'bench';
/** A tenth more, but for the one row that collapsing leaves to compute. */
const CLOSE_CLAIM = 1.09;

/** How often each dishonest prover of the catalogue is accepted, by the real challenger and verifier. */
export const proofCheats: Benchmark = {
  name: 'proof-cheats',
  summary:
    'dishonest provers against the real challenger: what they gain, how often they are accepted, what refuses them',
  async run(options) {
    const { signal, onProgress, runs = TRIALS } = options;
    const scaled = (count: number) => Math.max(1, Math.round((runs / TRIALS) * count));
    const trialsOf = ({ predicted, claims, stoppedBy }: Cheat) => {
      if (stoppedBy === 'time' || stoppedBy === 'economics') return scaled(SAME_TRIALS);
      const isClose = typeof predicted === 'number' && predicted > 1e-5 && claims.operations >= CLOSE_CLAIM;
      return isClose ? scaled(CLOSE_TRIALS) : runs;
    };
    const kernel = await loadKernel();
    const device = await measureThisDevice(options);
    const rows: CheatRow[] = [];
    for (const cheat of cheats) {
      onProgress(cheat.name);
      const trials = trialsOf(cheat);
      const request = { kernel, trials, seed: SEED, signal, trialsPerCommitment: TRIALS_PER_COMMITMENT };
      rows.push(...(await runCheats({ ...request, cheats: [cheat], readToMake: device.readToMake })));
    }
    const draws = { draws: scaled(DRAWS), drawsPerCommitment: DRAWS_PER_COMMITMENT };
    onProgress(`${draws.draws} draws of samples over collapsed rows, nothing opened`);
    const kind = await countKindDraws({ kernel, ...draws, seed: SEED, signal });
    const variantTrials = (name: string) => scaled(name === 'collapse-without-key' ? 10_000 : 20);
    const variants = await runVariants({ kernel, trialsOf: variantTrials, seed: SEED, signal, onProgress });
    const weaknesses = await runWeaknesses({ kernel, trials: scaled(100), seed: SEED, signal, onProgress });
    return {
      tables: [
        cheatTable(rows),
        codeTable('What refused them', rows),
        kindTable(kind),
        variantTable(variants),
        weaknessTable(weaknesses),
        deviceTable(device),
      ],
      aims: aimsOf(rows),
      notes: [
        'All at the set development, whose samples are as many as those of production: 160 of each phase.',
        'Each trial is a whole challenge with a sample beacon of its own; up to 1,000 of them share one dishonest commitment.',
        'accepted: proven, and scored at least what is claimed, in all three numbers. Interval: Clopper and Pearson, 95 %.',
        'scored: the best that the observer’s clock would give it if its proof were taken. That clock is modelled: it goes on by what each pass takes of a device of stated rates.',
        'The rate of deriving weights in the model is the one measured here; those of a bus and a disk are their nominal ones.',
        'Draws are no verifications: samples are drawn, and looked up in what the prover knows it forged.',
        ...variants.map(({ name, finding }) => `${name}: ${finding}.`),
      ],
    };
  },
};

type Device = Awaited<ReturnType<typeof measureThisDevice>>;

async function measureThisDevice({ signal, onProgress }: BenchmarkOptions) {
  onProgress('this processor: deriving weights against reading them');
  const engine = await openCpuEngine();
  try {
    const request = { parameters: parameterSets.cpu, layers: MEASURED_LAYERS, signal };
    return await measureReadToMake({ engine, nowMs: () => performance.now() }, request);
  } finally {
    await engine.close();
  }
}

function cheatTable(rows: readonly CheatRow[]): Table {
  return {
    title: 'Cheats',
    columns: [
      { name: 'claims operations', unit: '×' },
      { name: 'claims memory', unit: '×' },
      { name: 'claims bandwidth', unit: '×' },
      { name: 'forged', unit: 'of a phase' },
      { name: 'predicted', unit: 'accepted' },
      { name: 'trials', unit: 'challenges' },
      { name: 'commitments', unit: '1' },
      { name: 'accepted', unit: 'challenges' },
      { name: 'least', unit: 'accepted, 95 %' },
      { name: 'most', unit: 'accepted, 95 %' },
      { name: 'scored operations', unit: '×' },
      { name: 'scored memory', unit: '×' },
      { name: 'scored bandwidth', unit: '×' },
    ],
    rows: rows.map(({ name, claims, forged, predicted, trials, commitments, accepted, acceptance, scored }) => ({
      name,
      figures: [
        ...[claims.operations, claims.memory, claims.bandwidth, forged],
        ...[typeof predicted === 'number' ? predicted : null, trials, commitments, accepted],
        ...[acceptance.low, acceptance.high],
        ...[scored?.operations ?? null, scored?.memory ?? null, scored?.bandwidth ?? null],
      ],
    })),
  };
}

/** Rows that are proven for less than they claim were refused by nothing but their score. */
function codeTable(title: string, rows: readonly CheatRow[]): Table {
  const codes = [...new Set(rows.flatMap((row) => Object.keys(row.codes)))].sort();
  return {
    title,
    columns: [...codes, 'scored less'].map((name) => ({ name, unit: 'challenges' })),
    rows: rows.map(({ name, codes: own, scoredLess }) => ({
      name,
      figures: [...codes.map((code) => own[code] ?? 0), scoredLess],
    })),
  };
}

function kindTable({ draws, kind, commitments }: Awaited<ReturnType<typeof countKindDraws>>): Table {
  return {
    title: 'Draws of samples that miss all that collapsed-rows forged',
    columns: [
      { name: 'draws', unit: '1' },
      { name: 'kind', unit: 'draws' },
      { name: 'share', unit: 'of draws' },
      { name: 'commitments', unit: '1' },
    ],
    rows: [{ name: 'collapsed-rows', figures: [draws, kind, kind / draws, commitments] }],
  };
}

function variantTable(rows: readonly VariantRow[]): Table {
  return {
    title: 'Copies of the scheme that lack a defence',
    columns: [
      { name: 'gain', unit: '×' },
      { name: 'predicted', unit: 'accepted' },
      { name: 'trials', unit: '1' },
      { name: 'accepted', unit: 'trials' },
    ],
    rows: rows.map(({ name, gain, predicted, trials, accepted }) => ({
      name,
      figures: [gain, predicted, trials, accepted],
    })),
  };
}

function weaknessTable(rows: readonly WeaknessRow[]): Table {
  return {
    title: 'Published weaknesses of other challenges, tried here',
    columns: [
      { name: 'trials', unit: '1' },
      { name: 'refused', unit: 'trials' },
    ],
    rows: rows.map(({ name, trials, refused }) => ({ name, figures: [trials, refused] })),
  };
}

function deviceTable({ readBytesPerSecond, madeBytesPerSecond, readToMake }: Device): Table {
  return {
    title: 'This processor as a device, set cpu',
    columns: [
      { name: 'read', unit: 'MB/s' },
      { name: 'derived', unit: 'MB/s' },
      { name: 'read to derived', unit: '×' },
    ],
    rows: [{ name: '64 layers', figures: [readBytesPerSecond / 1e6, madeBytesPerSecond / 1e6, readToMake] }],
  };
}

function aimsOf(rows: readonly CheatRow[]): Measurement['aims'] {
  const large = rows.filter(({ gain, predicted }) => gain >= CLOSE_CLAIM && typeof predicted === 'number');
  const worst = Math.max(...large.map(({ acceptance }) => acceptance.measured));
  return [aimAtMost('accepted, of cheats that claim a tenth more than they have', worst, 1e-3, 'of challenges')];
}
