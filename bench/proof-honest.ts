import { loadKernel } from '@latent/proof';
import { confidenceOf, runHonestSessions } from '@latent/proof/cheats';
import { aimAtMost, type Benchmark } from './harness/benchmark.ts';

const SESSIONS = 10_000;
/** Sessions between two lines of progress. */
const TOLD = 500;

/** Whether an honest prover is ever refused. */
export const proofHonest: Benchmark = {
  name: 'proof-honest',
  summary: 'whole challenges of an honest prover at the set development: how many are refused',
  async run({ runs = SESSIONS, signal, onProgress }) {
    const kernel = await loadKernel();
    const startedMs = performance.now();
    const { sessions, rejected, codes } = await runHonestSessions({
      ...{ kernel, sessions: runs, seed: 'bench', signal },
      onProgress: (done) => {
        if (done % TOLD === 0) onProgress(`${done} of ${runs} sessions`);
      },
    });
    const seconds = (performance.now() - startedMs) / 1000;
    const { high } = confidenceOf(rejected, sessions, 0.95);
    return {
      tables: [
        {
          title: 'Honest sessions',
          columns: [
            { name: 'sessions', unit: '1' },
            { name: 'refused', unit: 'sessions' },
            { name: 'most', unit: 'refused, 95 %' },
            { name: 'took', unit: 's' },
          ],
          rows: [{ name: 'honest prover', figures: [sessions, rejected, high, seconds] }],
        },
      ],
      aims: [aimAtMost('honest sessions refused', rejected, 0, 'sessions')],
      notes: [
        'Each has beacons and a context of its own, one to three passes of a phase, two or four layers.',
        ...Object.entries(codes).map(([code, count]) => `Refused with ${code}: ${count}.`),
      ],
    };
  },
};
