import { LatentError } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../provers/engine.ts';
import { createProver, type Prover } from '../provers/prover.ts';
import { openReferenceEngine } from '../provers/reference/reference-engine.ts';
import { nobleHash } from '../spec/noble.ts';
import { parameterSets } from '../spec/parameters.ts';
import { referenceKernel } from '../spec/reference-kernel.ts';
import { type ChallengeRequest, runChallenge } from './run-challenge.ts';

const bytesOf = (text: string) => nobleHash(new TextEncoder().encode(text));

/** A challenge whose clock ticks once each time it is looked at. */
function challengeOf(prover: Prover, changes: Partial<ChallengeRequest> = {}): ChallengeRequest {
  let ticks = 0;
  return {
    prover,
    kernel: referenceKernel,
    parameters: parameterSets.development,
    context: bytesOf('context'),
    drawBeacon: async (which) => bytesOf(which),
    nowMs: () => ++ticks,
    layers: 4,
    phaseMs: { compute: 3, bandwidth: 9 },
    signal: new AbortController().signal,
    ...changes,
  };
}

const honest = (engine: Engine = openReferenceEngine()) => createProver(engine, nobleHash);

/** The reference, but for the calls given. */
const faulty = (changes: Partial<Engine>): Engine => ({ ...openReferenceEngine(), ...changes });

describe('a challenge', () => {
  it('is met by an honest prover, with the rates of the time that the observer saw', async () => {
    const { verdict, header, times } = await runChallenge(challengeOf(honest()));
    expect(header?.passes).toEqual({ compute: 2, bandwidth: 5 });
    expect(times).toEqual({ compute: 5, bandwidth: 11 });
    const operations = 2n * 32n * 256n * 256n * 2n * 4n * 2n;
    expect(verdict).toMatchObject({
      outcome: 'proven',
      measured: {
        operationsPerSecond: (operations * 1000n) / 5n,
        memoryBytes: 4n * 131_072n,
        bytesPerSecond: (4n * 131_072n * 5n * 1000n) / 11n,
      },
      proven: { memoryBytes: (4n * 131_072n * 9098n) / 10_000n },
    });
  });

  it('draws every beacon only after what has to come before it', async () => {
    const events: string[] = [];
    const inner = honest();
    const prover: Prover = {
      fill: async (call) => {
        const layers = await inner.fill(call);
        events.push('declared layers');
        return layers;
      },
      runPhase: async (call) => {
        const declared = await inner.runPhase(call);
        events.push(`declared ${call.name}`);
        return declared;
      },
      open: (beacon, signal) => {
        events.push('opens');
        return inner.open(beacon, signal);
      },
    };
    const drawBeacon = async (which: string) => {
      events.push(`beacon ${which}`);
      return bytesOf(which);
    };
    await runChallenge(challengeOf(prover, { drawBeacon }));
    expect(events).toEqual([
      'beacon fill',
      'declared layers',
      'beacon compute',
      'declared compute',
      'beacon bandwidth',
      'declared bandwidth',
      'beacon sample',
      'opens',
    ]);
  });

  it.each([
    [
      'has no memory',
      { fill: () => Promise.reject(new LatentError('DEVICE_OUT_OF_MEMORY', 'Full.')) },
      'DEVICE_OUT_OF_MEMORY',
    ],
    ['is lost in a pass', { runPass: () => Promise.reject(new LatentError('DEVICE_LOST', 'Reset.')) }, 'DEVICE_LOST'],
    ['throws what nobody expected', { runPass: () => Promise.reject(new Error('boom')) }, 'INTERNAL'],
  ])('measures nothing, and fails nobody, if the device %s', async (_, fault, code) => {
    const { verdict, proof } = await runChallenge(challengeOf(honest(faulty(fault))));
    expect(verdict).toMatchObject({ outcome: 'not measured', code });
    expect(proof).toBeUndefined();
  });

  it('is failed by a device that vanishes once the samples are known', async () => {
    const lost = faulty({ reopenRows: () => Promise.reject(new LatentError('DEVICE_LOST', 'Reset.')) });
    const { verdict } = await runChallenge(challengeOf(honest(lost)));
    expect(verdict).toMatchObject({ outcome: 'failed', code: 'PROOF_LATE' });
  });

  it("is failed by a proof that comes too late by the observer's clock", async () => {
    let now = 0;
    const inner = honest();
    const slow: Prover = {
      ...inner,
      open: (beacon, signal) => {
        now += 120_001;
        return inner.open(beacon, signal);
      },
    };
    const { verdict, proof } = await runChallenge(challengeOf(slow, { nowMs: () => ++now }));
    expect(verdict).toMatchObject({ outcome: 'failed', code: 'PROOF_LATE' });
    expect(proof).toBeDefined();
  });

  it.each([
    ['a stop that nobody ordered', () => Promise.reject(new LatentError('CANCELLED', 'Stopped.'))],
    ['silence', () => new Promise<never>(() => {})],
  ])('is failed by %s once the samples are known', async (_, open) => {
    const { verdict } = await runChallenge(challengeOf({ ...honest(), open }, { openWithinMs: 50 }));
    expect(verdict).toMatchObject({ outcome: 'failed', code: 'PROOF_LATE' });
  });

  it.each([
    ['a stop that nobody ordered', () => Promise.reject(new LatentError('CANCELLED', 'Stopped.')), 'CANCELLED'],
    ['silence', () => new Promise<never>(() => {}), 'TIMED_OUT'],
  ])('measures nothing after %s before they are', async (_, runPhase, code) => {
    const { verdict } = await runChallenge(challengeOf({ ...honest(), runPhase }, { declareWithinMs: 1_000 }));
    expect(verdict).toMatchObject({ outcome: 'not measured', code });
  });

  it('counts the time of drawing a beacon, which others may have had before', async () => {
    let now = 0;
    const drawBeacon = async (which: string) => {
      now += 1000;
      return bytesOf(which);
    };
    const { times } = await runChallenge(
      challengeOf(honest(), { drawBeacon, nowMs: () => now, phaseMs: { compute: 0, bandwidth: 0 } }),
    );
    expect(times).toEqual({ compute: 1000, bandwidth: 1000 });
  });

  it.each([
    ['no passes', { passes: 0, phaseRoot: new Uint8Array(32) }],
    ['half a pass', { passes: 0.5, phaseRoot: new Uint8Array(32) }],
    ['passes that are no number', { passes: Number.NaN, phaseRoot: new Uint8Array(32) }],
    ['a short root', { passes: 1, phaseRoot: new Uint8Array(31) }],
  ])('is failed by a declaration of %s', async (_, declaration) => {
    const prover = { ...honest(), runPhase: async () => declaration };
    expect((await runChallenge(challengeOf(prover))).verdict).toMatchObject({
      outcome: 'failed',
      code: 'PROOF_MALFORMED',
    });
  });

  it.each([0, 3, 2.5, Number.NaN, 65_538])('is failed by a declaration of %s layers', async (layers) => {
    const prover = { ...honest(), fill: async () => layers };
    expect((await runChallenge(challengeOf(prover))).verdict).toMatchObject({
      outcome: 'failed',
      code: 'PROOF_MALFORMED',
    });
  });

  it('rejects when it is stopped, whatever was running', async () => {
    for (const part of ['fill', 'compute', 'bandwidth', 'open', 'verify'] as const) {
      const stop = new AbortController();
      const request = challengeOf(honest(), {
        signal: stop.signal,
        onProgress: (progress) => progress.part === part && stop.abort(),
      });
      await expect(runChallenge(request)).rejects.toMatchObject({ code: 'CANCELLED' });
    }
  });

  it('goes from the fill to the verification in its progress', async () => {
    const parts: string[] = [];
    await runChallenge(challengeOf(honest(), { onProgress: ({ part }) => parts.push(part) }));
    expect([...new Set(parts)]).toEqual(['fill', 'compute', 'bandwidth', 'open', 'verify']);
  });
});
