import { toLatentError } from '@latent/protocol';
import { listFuzzTargets } from '@latent/transport/hostile';
import { aimAtMost, type Benchmark, type Row } from './harness/benchmark.ts';
import { startProcess } from './harness/start-process.ts';
import { type FuzzAsked, type FuzzTold, fuzzToldSchema } from './transport-fuzz/notes.ts';

const INPUTS = 1_000_000;
const SEED = 1;
const MEBIBYTE = 2 ** 20;

/** Whether hostile bytes can crash the transport, or make it work or remember without bounds. */
export const transportFuzz: Benchmark = {
  name: 'transport-fuzz',
  summary:
    'a million hostile inputs to all that strangers can send bytes to: whether any crashes it, and what they cost',
  async run({ runs = INPUTS, signal, onProgress }) {
    const rows: Row[] = [];
    const crashes: string[] = [];
    let crashed = 0;
    let inputs = 0;
    let longestMs = 0;
    for (const { name, share } of await listFuzzTargets()) {
      onProgress(name);
      const asked = Math.ceil((share * runs) / INPUTS);
      const told = await feed({ target: name, inputs: asked, seed: SEED }, signal);
      inputs += asked;
      if (typeof told === 'string') {
        crashed += 1;
        crashes.push(`${name}: ${told}`);
        rows.push({ name, figures: [asked, null, null, null, 1, null, null, null] });
        continue;
      }
      crashed += told.crashes.length;
      crashes.push(...told.crashes.map((crash) => `${name}: ${crash}`));
      longestMs = Math.max(longestMs, told.longestMs);
      const memory = [told.rssBytes / MEBIBYTE, told.peakRssBytes / MEBIBYTE];
      rows.push({
        name,
        figures: [told.inputs, told.taken, told.refused, told.ended, told.crashes.length, told.longestMs, ...memory],
      });
    }
    return {
      tables: [
        {
          title: 'Hostile inputs',
          columns: [
            { name: 'inputs', unit: '1' },
            { name: 'taken', unit: 'inputs' },
            { name: 'refused', unit: 'inputs' },
            { name: 'ended it', unit: 'inputs' },
            { name: 'crashes', unit: 'inputs' },
            { name: 'longest', unit: 'CPU ms' },
            { name: 'memory before', unit: 'MiB' },
            { name: 'most memory', unit: 'MiB' },
          ],
          rows,
        },
        {
          title: 'All together',
          columns: [
            { name: 'inputs', unit: '1' },
            { name: 'crashes', unit: 'inputs' },
            { name: 'longest', unit: 'CPU ms' },
          ],
          rows: [{ name: 'transport', figures: [inputs, crashed, longestMs] }],
        },
      ],
      aims: [aimAtMost('crashes', crashed, 0, 'inputs')],
      notes: [
        'Made of well-formed ones: bits, bytes, numbers at the ends of ranges, cuts, splices, repetitions, fillings, random bytes; each as likely, up to three at once. The same for the same seed.',
        'Taken: read as something, or let in while what was fed goes on. It is no defect: many are samples with nothing done to them, and payloads may be anything.',
        'Each target has a process of its own, which its inputs may crash; memory is that of the whole process, of which an idle one has the first figure.',
        'longest: CPU time of the thread for one input, with whatever garbage collection fell into it.',
        ...crashes.slice(0, 10).map((crash) => `Crash: ${crash.slice(0, 500)}.`),
      ],
    };
  },
};

/** @returns why the process ended, when it did */
async function feed(asked: FuzzAsked, signal: AbortSignal): Promise<FuzzTold | string> {
  const child = await startProcess<FuzzAsked, FuzzTold | null>({
    file: new URL('./transport-fuzz/fuzz-process.ts', import.meta.url),
    setup: {},
    told: fuzzToldSchema.nullable(),
    signal,
  });
  try {
    return (await child.ask(asked)) ?? 'it told nothing';
  } catch (thrown) {
    signal.throwIfAborted();
    return toLatentError(thrown).message;
  } finally {
    await child.end();
  }
}
