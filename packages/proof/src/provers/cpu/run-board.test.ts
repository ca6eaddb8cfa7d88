import { expect, test } from 'vitest';
import { toHex } from '../../spec/bytes.ts';
import { nobleHash } from '../../spec/noble.ts';
import { type Parameters, parameterSets } from '../../spec/parameters.ts';
import { type PhaseName, phaseNames, phaseOf } from '../../spec/phase.ts';
import { compileKernel } from '../../wasm/compile-kernel.ts';
import { openReferenceEngine } from '../reference/reference-engine.ts';
import { passBoard } from './board.ts';
import { layOut, shareOf } from './layout.ts';
import { runBoard } from './run-board.ts';
import { fillLayer, findLayer, takeMemory } from './weights.ts';

const LAYERS = 6;
const sessionId = nobleHash(Uint8Array.of(1));
const seed = nobleHash(Uint8Array.of(2));
const never = new AbortController().signal;

/** Row roots of a pass by one worker, in this thread, whose memories hold two layers each. */
async function runAlone(parameters: Parameters, name: PhaseName) {
  const share = shareOf(parameters, 0, 1);
  const { weights: first, layerBytes } = layOut(parameters, share, LAYERS, 12_000);
  const module = await compileKernel();
  const weights = await takeMemory(module, parameters, LAYERS, share, first + 2 * layerBytes + 100);
  for (let layer = 0; layer < LAYERS; layer++) fillLayer(weights, sessionId, layer);
  const phase = phaseOf(parameters, name, LAYERS);
  const board = passBoard(parameters, phase, LAYERS);
  const rows = Array.from({ length: phase.rows }, (_, row) => ({ seed: 0, row }));
  runBoard(weights, { worker: 0, workers: 1 }, board, [seed], rows);
  return { weights, board, roots: new Uint8Array(board.rowRoots).slice() };
}

async function runReference(parameters: Parameters, name: PhaseName): Promise<Uint8Array> {
  const reference = openReferenceEngine();
  await reference.fill({ parameters, sessionId, layers: LAYERS, signal: never });
  return reference.runPass({ phase: phaseOf(parameters, name, LAYERS), seed, signal: never });
}

test.each(phaseNames)('weights in several memories give the same %s pass', async (name) => {
  const { weights, roots } = await runAlone(parameterSets.development, name);
  expect(weights.banks).toHaveLength(3);
  expect(toHex(roots)).toBe(toHex(await runReference(parameterSets.development, name)));
});

test('more than 128 rows go in strands of at most 128', async () => {
  const parameters = { ...parameterSets.development, computeRows: 300 };
  const { board, roots } = await runAlone(parameters, 'compute');
  expect(board.strands.map(({ rows }) => rows)).toEqual([128, 128, 44]);
  expect(toHex(roots)).toBe(toHex(await runReference(parameters, 'compute')));
});

test('a layer that was not filled is not found', async () => {
  const { weights } = await runAlone(parameterSets.development, 'bandwidth');
  expect(() => findLayer(weights, LAYERS)).toThrow(RangeError);
});
