import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ceilLog2, toHex } from '../spec/bytes.ts';
import { nobleHash } from '../spec/noble.ts';
import { type Parameters, parameterSets, rowBytes } from '../spec/parameters.ts';
import { type PhaseName, phaseNames, phaseOf } from '../spec/phase.ts';
import { treeRoot } from '../spec/tree.ts';
import type { Engine, ReopenRow } from './engine.ts';
import { openReferenceEngine } from './reference/reference-engine.ts';

/** A set of another shape than any that is shipped, so that nothing rests on a constant of those. */
export const oddParameters: Parameters = {
  ...parameterSets.development,
  width: 512,
  gates: 4,
  links: 2,
  computeRows: 16,
  lanes: 2,
  laneRows: 4,
};

export interface ConformanceOptions {
  /** Why the suite cannot run here; undefined if it can. Printed with the skipped suite. */
  readonly skip?: string | undefined;
  /** Further shapes, such as those that fast kernels are compiled for. */
  readonly shapes?: readonly { readonly parameters: Parameters; readonly layers: number }[];
  readonly timeoutMs?: number;
}

const sessionId = nobleHash(new TextEncoder().encode('a session'));
const seedOf = (name: PhaseName, pass: number) => nobleHash(new TextEncoder().encode(`${name} ${pass}`));

/** What every engine has to do, byte for byte as the reference. */
export function describeEngine(name: string, open: () => Promise<Engine>, options: ConformanceOptions = {}): void {
  const shapes = [
    { parameters: parameterSets.development, layers: 6 },
    { parameters: oddParameters, layers: 4 },
    ...(options.shapes ?? []),
  ];
  const title = options.skip === undefined ? `engine ${name}` : `engine ${name} (skipped: ${options.skip})`;
  describe.skipIf(options.skip !== undefined)(title, { timeout: options.timeoutMs ?? 60_000 }, () => {
    let engine: Engine;
    const never = new AbortController().signal;
    beforeAll(async () => {
      engine = await open();
    }, options.timeoutMs ?? 60_000);
    afterAll(async () => engine?.close());

    describe.each(shapes)('at width $parameters.width, $layers layers', ({ parameters, layers }) => {
      const reference = openReferenceEngine();
      beforeAll(async () => {
        await reference.fill({ parameters, sessionId, layers, signal: never });
        await engine.fill({ parameters, sessionId, layers, signal: never });
      }, options.timeoutMs ?? 60_000);

      it.each(phaseNames)('gives the row roots of the reference in a %s pass', async (phaseName) => {
        const phase = phaseOf(parameters, phaseName, layers);
        const request = { phase, seed: seedOf(phaseName, 0), signal: never };
        expect(toHex(await engine.runPass(request))).toBe(toHex(await reference.runPass(request)));
      });

      it('gives the same for the same seed, and something else for another', async () => {
        const phase = phaseOf(parameters, 'bandwidth', layers);
        const run = async (pass: number) =>
          toHex(await engine.runPass({ phase, seed: seedOf('bandwidth', pass), signal: never }));
        const [first, again, other] = [await run(1), await run(1), await run(2)];
        expect(again).toBe(first);
        expect(other).not.toBe(first);
      });

      it('opens rows of several passes and phases as the reference does', async () => {
        const rows = rowsToReopen(parameters, layers);
        const [own, expected] = [await engine.reopenRows(rows, never), await reference.reopenRows(rows, never)];
        expect(own.map(({ digests }) => toHex(digests))).toEqual(expected.map(({ digests }) => toHex(digests)));
        expect(own.map(({ states }) => states.map(toHex))).toEqual(expected.map(({ states }) => states.map(toHex)));
        expect(own.every(({ states }) => states.every((state) => state.length === rowBytes(parameters)))).toBe(true);
      });

      it('opens what it ran: the digests lead to the row roots of the pass', async () => {
        const phase = phaseOf(parameters, 'compute', layers);
        const seed = seedOf('compute', 5);
        const roots = await engine.runPass({ phase, seed, signal: never });
        const rows = [0, phase.rows - 1].map((row) => ({ phase, seed, row, states: [] }));
        const reopened = await engine.reopenRows(rows, never);
        const leaves = (digests: Uint8Array) =>
          Array.from({ length: phase.steps + 1 }, (_, state) => digests.subarray(32 * state, 32 * state + 32));
        expect(ceilLog2(phase.steps + 1)).toBeGreaterThan(0);
        expect(reopened.map(({ digests }) => toHex(treeRoot(nobleHash, leaves(digests))))).toEqual(
          rows.map(({ row }) => toHex(roots.subarray(32 * row, 32 * row + 32))),
        );
      });
    });

    it('derives other weights from another session', async () => {
      const { parameters, layers } = { parameters: parameterSets.development, layers: 2 };
      const phase = phaseOf(parameters, 'compute', layers);
      const roots = async (id: Uint8Array) => {
        await engine.fill({ parameters, sessionId: id, layers, signal: never });
        return toHex(await engine.runPass({ phase, seed: seedOf('compute', 0), signal: never }));
      };
      expect(await roots(nobleHash(sessionId))).not.toBe(await roots(sessionId));
    });

    it('says how many layers fit, as a multiple of the lanes', async () => {
      const layers = await engine.fittingLayers(parameterSets.development);
      expect(layers).toBeGreaterThan(0);
      expect(layers % parameterSets.development.lanes).toBe(0);
    });

    it('tells its progress while it fills', async () => {
      const told: number[] = [];
      const request = { parameters: parameterSets.development, sessionId, layers: 4, signal: never };
      await engine.fill({ ...request, onProgress: (layersDone) => told.push(layersDone) });
      expect(told.at(-1)).toBe(4);
      expect(told).toEqual(told.toSorted((a, b) => a - b));
    });

    it('stops when asked, and then works no more', async () => {
      const stop = AbortSignal.abort();
      const phase = phaseOf(parameterSets.development, 'compute', 4);
      await expect(engine.runPass({ phase, seed: sessionId, signal: stop })).rejects.toMatchObject({
        code: 'CANCELLED',
      });
    });

    it('can be closed twice', async () => {
      await engine.close();
      await engine.close();
    });
  });
}

function rowsToReopen(parameters: Parameters, layers: number): readonly ReopenRow[] {
  return phaseNames.flatMap((name) => {
    const phase = phaseOf(parameters, name, layers);
    return [
      { phase, seed: seedOf(name, 1), row: 0, states: [0, 1] },
      { phase, seed: seedOf(name, 2), row: phase.rows - 1, states: [phase.steps - 1, phase.steps] },
      { phase, seed: seedOf(name, 1), row: 1, states: [1] },
    ];
  });
}
