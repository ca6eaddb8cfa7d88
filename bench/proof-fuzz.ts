import { loadKernel } from '@latent/proof';
import { type FuzzResult, fuzzRecords, fuzzVerifying } from '@latent/proof/cheats';
import { aimAtMost, type Benchmark, type Row } from './harness/benchmark.ts';

const INPUTS = 1_000_000;
/** Records cost more to make than to refuse. */
const RECORDS = 20_000;
const TOLD = 64 * 800;
/** How often memory is looked at, in inputs. */
const WATCHED = 64 * 16;

/** Whether hostile bytes can crash a verifier, or make it work or remember without bounds. */
export const proofFuzz: Benchmark = {
  name: 'proof-fuzz',
  summary:
    'a million hostile proofs, and hostile records: whether any is taken or crashes the verifier, and what they cost',
  async run({ runs = INPUTS, signal, onProgress }) {
    const kernel = await loadKernel();
    const startBytes = process.memoryUsage().rss;
    let mostBytes = startBytes;
    const watch = (done: number, inputs: number) => {
      if (done % WATCHED === 0) mostBytes = Math.max(mostBytes, process.memoryUsage().rss);
      if (done % TOLD === 0) onProgress(`${done} of ${inputs}`);
    };
    const common = { kernel, signal, nowMs: () => performance.now(), onProgress: watch };
    const startedMs = performance.now();
    const proofs = await fuzzVerifying({ ...common, inputs: runs, seed: 1 });
    const seconds = (performance.now() - startedMs) / 1000;
    const records = await fuzzRecords({ ...common, inputs: Math.min(RECORDS, runs), seed: 2 });
    const codes = [...new Set([...Object.keys(proofs.codes), ...Object.keys(records.codes)])].sort();
    return {
      tables: [
        {
          title: 'Hostile inputs',
          columns: [
            { name: 'inputs', unit: '1' },
            { name: 'taken', unit: 'inputs' },
            { name: 'crashes', unit: 'inputs' },
            { name: 'most keccaks', unit: '1 per input' },
            { name: 'most sums', unit: '1 per input' },
            { name: 'longest', unit: 'ms' },
          ],
          rows: [rowOf('proofs', proofs), rowOf('records', records)],
        },
        {
          title: 'Refused with',
          columns: codes.map((name) => ({ name, unit: 'inputs' })),
          rows: [
            { name: 'proofs', figures: codes.map((code) => proofs.codes[code] ?? 0) },
            { name: 'records', figures: codes.map((code) => records.codes[code] ?? 0) },
          ],
        },
        {
          title: 'This process',
          columns: [
            { name: 'hostile proofs took', unit: 's' },
            { name: 'memory before', unit: 'MiB' },
            { name: 'most memory', unit: 'MiB' },
          ],
          rows: [{ name: 'verifier', figures: [seconds, startBytes / 2 ** 20, mostBytes / 2 ** 20] }],
        },
      ],
      aims: [
        aimAtMost('hostile inputs taken', proofs.taken.length + records.taken.length, 0, 'inputs'),
        aimAtMost('crashes', proofs.crashes.length + records.crashes.length, 0, 'inputs'),
      ],
      notes: [
        'Made of two right proofs of the set development: bits, numbers, cuts, splices, swaps, zeros, random bytes, each as likely.',
        'Every other proof is checked against the challenge that the right one answers, the rest against themselves.',
        'Records that could still be read are counted as PROOF_MISMATCH: their proof is what a verifier goes on with.',
        'longest: by the wall clock of a machine that others use as well.',
        ...[...proofs.crashes, ...records.crashes].slice(0, 10).map((crash) => `Crash: ${crash.slice(0, 200)}.`),
      ],
    };
  },
};

function rowOf(name: string, { inputs, taken, crashes, mostHashes, mostSums, longestMs }: FuzzResult): Row {
  return { name, figures: [inputs, taken.length, crashes.length, mostHashes, mostSums, longestMs] };
}
