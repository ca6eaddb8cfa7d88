import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { runChallenge } from '../challenge/run-challenge.ts';
import { createProver } from '../provers/prover.ts';
import { openReferenceEngine } from '../provers/reference/reference-engine.ts';
import { nobleHash } from '../spec/noble.ts';
import { parameterSets } from '../spec/parameters.ts';
import { phaseOf } from '../spec/phase.ts';
import { referenceKernel } from '../spec/reference-kernel.ts';
import { drawSamples } from '../spec/session.ts';
import { planOpening } from '../wire/opening-plan.ts';
import { decodeHeader, deriveFromHeader, encodeHeader, HEADER_BYTES, MOST_PROOF_BYTES } from '../wire/proof-header.ts';
import { type Challenge, verifyProof } from './verify-proof.ts';

const bytesOf = (text: string) => nobleHash(new TextEncoder().encode(text));

describe('verifyProof', () => {
  let proof: Uint8Array;
  let challenge: Challenge;
  beforeAll(async () => {
    let calls = 0;
    const result = await runChallenge({
      prover: createProver(openReferenceEngine(), nobleHash),
      kernel: referenceKernel,
      parameters: parameterSets.development,
      context: bytesOf('context'),
      drawBeacon: async (which) => bytesOf(which),
      nowMs: () => ++calls,
      layers: 4,
      phaseMs: { compute: 3, bandwidth: 5 },
      signal: new AbortController().signal,
    });
    proof = result.proof!;
    const header = decodeHeader(proof);
    challenge = {
      ...{ set: header.parameters.number, context: header.context, beacons: header.beacons, layers: header.layers },
      commitments: deriveFromHeader(nobleHash, header).commitments,
    };
  });

  it('takes an honest proof, with its challenge and without', async () => {
    expect((await verifyProof(referenceKernel, proof, { challenge })).header.layers).toBe(4);
    expect((await verifyProof(referenceKernel, proof)).header.layers).toBe(4);
  });

  it('refuses every change of any one byte', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: proof.length - 1 }), fc.integer({ min: 1, max: 255 }), async (place, flip) => {
        const altered = proof.slice();
        altered[place] = (altered[place] ?? 0) ^ flip;
        await expect(verifyProof(referenceKernel, altered, { challenge })).rejects.toMatchObject({
          code: expect.stringMatching(/^PROOF_/),
        });
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['nothing', (_: Uint8Array) => new Uint8Array(), 'PROOF_MALFORMED'],
    ['a header that is cut', (whole: Uint8Array) => whole.slice(0, HEADER_BYTES - 1), 'PROOF_MALFORMED'],
    ['a header alone', (whole: Uint8Array) => whole.slice(0, HEADER_BYTES), 'PROOF_WRONG_LENGTH'],
    ['one byte less', (whole: Uint8Array) => whole.slice(0, -1), 'PROOF_WRONG_LENGTH'],
    ['one byte more', (whole: Uint8Array) => Uint8Array.from([...whole, 0]), 'PROOF_WRONG_LENGTH'],
    ['a byte more than any proof', () => new Uint8Array(MOST_PROOF_BYTES + 1), 'PROOF_TOO_LARGE'],
    ['another magic', (whole: Uint8Array) => whole.with(3, 0x32), 'PROOF_MALFORMED'],
    ['a set that there is not', (whole: Uint8Array) => whole.with(4, 9), 'PROOF_MALFORMED'],
    ['no layers', (whole: Uint8Array) => whole.with(HEADER_BYTES - 73, 0), 'PROOF_MALFORMED'],
    [
      'layers that are no multiple of the lanes',
      (whole: Uint8Array) => whole.with(HEADER_BYTES - 73, 5),
      'PROOF_MALFORMED',
    ],
    ['no passes', (whole: Uint8Array) => whole.with(HEADER_BYTES - 65, 0), 'PROOF_MALFORMED'],
    ['the passes of nobody', (whole: Uint8Array) => whole.with(HEADER_BYTES - 68, 255), 'PROOF_MALFORMED'],
  ])('refuses %s before any dear work', async (_, alter, code) => {
    const kernel = { ...referenceKernel, accumulate: () => expect.unreachable('no weight may be derived') };
    await expect(verifyProof(kernel, alter(proof))).rejects.toMatchObject({ code });
  });

  it.each([
    ['another context', { context: bytesOf('somebody else') }],
    ['another set', { set: 1 }],
    ['other layers', { layers: 6 }],
    [
      'another beacon',
      { beacons: { fill: bytesOf('x'), compute: bytesOf('x'), bandwidth: bytesOf('x'), sample: bytesOf('x') } },
    ],
    ['other commitments', { commitments: { compute: bytesOf('x'), bandwidth: bytesOf('x') } }],
  ])('refuses a proof for %s', async (_, other) => {
    await expect(verifyProof(referenceKernel, proof, { challenge: { ...challenge, ...other } })).rejects.toMatchObject({
      code: 'PROOF_MISMATCH',
    });
  });

  it('stops when asked', async () => {
    await expect(verifyProof(referenceKernel, proof, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
  });

  it('tells its progress up to the last sample', async () => {
    const told: number[] = [];
    await verifyProof(referenceKernel, proof, { onProgress: (done) => told.push(done) });
    expect(told.at(-1)).toBe(320);
  });

  it('reads back every header that it writes', () => {
    const header = decodeHeader(proof);
    expect(decodeHeader(encodeHeader(header))).toEqual(header);
  });
});

describe('the length of a production proof', () => {
  const { production } = parameterSets;

  it.each([
    ['a device of 8 GiB', 116, 30, 600],
    ['a device of 24 GiB', 356, 24, 400],
    ['a device of 141 GiB', 2096, 13, 310],
    ['a device of 512 GiB', 7600, 10, 300],
  ])('stays below 0.7 MB for %s', (_, layers, computePasses, bandwidthPasses) => {
    const bytes = [
      { name: 'compute' as const, passes: computePasses },
      { name: 'bandwidth' as const, passes: bandwidthPasses },
    ].map(({ name, passes }) => {
      const phase = phaseOf(production, name, layers);
      const samples = drawSamples(nobleHash, production, phase, passes, bytesOf('root'), bytesOf('beacon'));
      return planOpening(production, phase, passes, samples).bytes;
    });
    expect(HEADER_BYTES + bytes.reduce((sum, part) => sum + part, 0)).toBeLessThan(700_000);
  });
});
