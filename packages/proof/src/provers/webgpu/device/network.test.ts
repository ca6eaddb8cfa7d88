import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleHash } from '../../../spec/noble.ts';
import { parameterSets } from '../../../spec/parameters.ts';
import { firstBlock, weights } from '../../../spec/step.ts';
import { STRIPE } from '../shaders/layout.ts';
import { findTestAdapter, runWithAdapter } from '../software-adapter.fixture.ts';

const found = await findTestAdapter();
const title = 'skip' in found ? `filling (skipped: ${found.skip})` : 'filling';
const environment = 'skip' in found ? {} : found.environment;

const parameters = parameterSets.development;
const { width, gates } = parameters;

/** No proof with this set has so many layers. Its columns are the last that 32 bits can count, its blocks are eight times as many. */
const FAR = 2 ** 23 - 1;

async function fillLayer(layer: number): Promise<Int8Array> {
  const script = new URL('./fill-far-layer.fixture.ts', import.meta.url);
  const stdout = await runWithAdapter(script, environment, String(layer));
  return Int8Array.from(Buffer.from(stdout, 'base64'));
}

/** Weight k of a column, as `layout.ts` says where it lies. */
function weightAt(layer: Int8Array, column: number, k: number): number | undefined {
  const sixteen = (Math.floor(column / STRIPE) * (width / 16) + Math.floor(k / 16)) * STRIPE + (column % STRIPE);
  return layer[16 * sixteen + (k % 16)];
}

describe.skipIf('skip' in found)(title, () => {
  it('derives the weights of blocks whose numbers take more than 32 bits', { timeout: 60_000 }, async () => {
    expect(firstBlock(parameters, FAR, 0, 0)).toBeGreaterThan(2 ** 34);
    const layer = await fillLayer(FAR);
    fc.assert(
      fc.property(fc.nat(gates - 1), fc.nat(width - 1), (gate, output) => {
        const expected = weights(nobleHash, parameters, new Uint8Array(32).fill(7), FAR, gate, output);
        const own = Array.from({ length: width }, (_, k) => weightAt(layer, output * gates + gate, k));
        expect(own).toEqual([...expected]);
      }),
    );
  });
});
