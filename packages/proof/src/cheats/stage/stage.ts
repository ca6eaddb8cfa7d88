import { LatentError } from '@latent/protocol';
import { type ChallengeRequest, type ChallengeResult, runChallenge } from '../../challenge/run-challenge.ts';
import type { Kernel } from '../../kernel.ts';
import { createProver, type PhaseDeclaration, type Prover } from '../../provers/prover.ts';
import { join, word } from '../../spec/bytes.ts';
import { type Parameters, parameterSets } from '../../spec/parameters.ts';
import type { PhaseName } from '../../spec/phase.ts';
import type { Beacons } from '../../spec/session.ts';
import { type DeviceModel, HONEST_PASS_MS, modelDevice } from './device-model.ts';
import { type KeepingEngine, type Manners, openKeepingEngine } from './keeping-engine.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';

/** Layers of a cheat's proof: forging one of them is forging 1/22 of the states. */
export const STAGE_LAYERS = 22;

/** Where a cheat is tried: the real challenger and verifier, a modelled device, and no chance that cannot be repeated. */
export interface Stage {
  readonly kernel: Kernel;
  readonly parameters: Parameters;
  /** How many times faster the device reads weights than it derives them. */
  readonly readToMake: number;
  readonly signal: AbortSignal;
  /** 32 bytes that depend on the stage's seed and these words alone. */
  readonly draw: (...words: readonly (string | number)[]) => Uint8Array;
}

/** @param seed what all chance of the stage comes from; another seed for each commitment */
export function setStage(options: {
  readonly kernel: Kernel;
  readonly readToMake: number;
  readonly seed: string;
  readonly signal: AbortSignal;
}): Stage {
  const { kernel, readToMake, seed, signal } = options;
  const start = kernel.hash(new TextEncoder().encode(`latent/proof/cheats/${seed}`));
  const bytesOf = (word_: string | number) =>
    typeof word_ === 'number' ? word(word_) : kernel.hash(new TextEncoder().encode(word_));
  return {
    kernel,
    parameters: parameterSets.development,
    readToMake,
    signal,
    draw: (...words) => kernel.hash(join(start, ...words.map(bytesOf))),
  };
}

export type BeaconName = keyof Beacons;

/** One way to cheat, ready to be challenged. */
export interface Act {
  readonly prover: (clock: ManualClock) => Prover;
  /** What it answers to a sample beacon; left out: what it committed to. */
  readonly open?: (call: OpenCall) => Promise<Uint8Array>;
  /** Awaited before each beacon is published, while the act commits: rounds that are common to several provers. */
  readonly beforeBeacon?: (which: BeaconName) => Promise<void>;
  /** What the challenger asks for, where it is not the stage's. */
  readonly asked?: Partial<Pick<ChallengeRequest, 'parameters' | 'layers' | 'phaseMs' | 'openWithinMs'>>;
}

export interface OpenCall {
  readonly sampleBeacon: Uint8Array;
  readonly trial: number;
  readonly clock: ManualClock;
  /** Opens what was committed to, by any beacon. */
  readonly openBy: (beacon: Uint8Array) => Promise<Uint8Array>;
}

/** One dishonest commitment, over which as many sample beacons as wanted are drawn. */
export interface Attempt {
  /** A whole challenge with the trial's own sample beacon. Trials may run at the same time. */
  readonly trial: (index: number) => Promise<ChallengeResult>;
}

/**
 * Lets the act commit once, in trial 0. Later trials are challenges like the first one, in which the prover says again what
 * it said, and takes as long: only the sample beacon is another.
 * @param clock of trial 0; shared with others that use the same device
 */
export async function rehearse(stage: Stage, act: Act, clock = createManualClock()): Promise<Attempt> {
  const { prover, playBack } = recording(act.prover(clock), clock);
  const first = await challenge(stage, act, prover, clock, 0);
  return {
    trial: async (index) => {
      if (index === 0) return first;
      const own = createManualClock();
      return challenge(stage, act, playBack(own), own, index);
    },
  };
}

/** So long that an honest phase is two passes. */
const PHASE_MS = { compute: 1.9 * HONEST_PASS_MS.compute, bandwidth: 1.9 * HONEST_PASS_MS.bandwidth };

async function challenge(
  { kernel, parameters, signal, draw }: Stage,
  { open, beforeBeacon, asked }: Act,
  prover: Prover,
  clock: ManualClock,
  trial: number,
): Promise<ChallengeResult> {
  const openAs = (sampleBeacon: Uint8Array) => {
    const openBy = (beacon: Uint8Array) => prover.open(beacon, signal);
    return open === undefined ? openBy(sampleBeacon) : open({ sampleBeacon, trial, clock, openBy });
  };
  // Who publishes common rounds starts the clock of all of them when a beacon is out, however long one had to wait for it.
  let waitedMs = 0;
  return runChallenge({
    prover: { ...prover, open: openAs },
    kernel,
    parameters,
    context: draw('context'),
    drawBeacon: async (which) => {
      const fromMs = clock.nowMs();
      if (trial === 0) await beforeBeacon?.(which);
      waitedMs += clock.nowMs() - fromMs;
      return which === 'sample' ? draw('sample', trial) : draw(which);
    },
    nowMs: () => clock.nowMs() - waitedMs,
    layers: STAGE_LAYERS,
    phaseMs: PHASE_MS,
    signal,
    ...asked,
  });
}

/** Notes what a prover says and how long it takes. */
function recording(prover: Prover, clock: ManualClock) {
  let layers: number | undefined;
  const said = new Map<PhaseName, { readonly declaration: PhaseDeclaration; readonly tookMs: number }>();
  const need = <T>(value: T | undefined): T => {
    if (value === undefined) throw new LatentError('INTERNAL', 'A trial is played back that was never recorded.');
    return value;
  };
  const recorder: Prover = {
    fill: async (call) => {
      layers = await prover.fill(call);
      return layers;
    },
    runPhase: async (call) => {
      const startedMs = clock.nowMs();
      const declaration = await prover.runPhase(call);
      said.set(call.name, { declaration, tookMs: clock.nowMs() - startedMs });
      return declaration;
    },
    open: prover.open,
  };
  const playBack = (own: ManualClock): Prover => ({
    fill: async () => need(layers),
    runPhase: async ({ name }) => {
      const { declaration, tookMs } = need(said.get(name));
      own.advance(tookMs);
      return declaration;
    },
    open: prover.open,
  });
  return { prover: recorder, playBack };
}

/** A cheat that is an engine with bad manners below the real prover. */
export function misbehave(stage: Stage, manners: Manners, model = modelOf(stage)): Promise<Attempt> {
  return rehearse(stage, { prover: (clock) => proverWith(stage, clock, manners, model).prover });
}

/** The real prover over an engine with such manners. */
export function proverWith(
  { kernel }: Stage,
  clock: ManualClock,
  manners: Manners,
  model: DeviceModel,
): { readonly prover: Prover; readonly engine: KeepingEngine } {
  const engine = openKeepingEngine({ hash: kernel.hash, clock, model, manners });
  return { engine, prover: createProver(engine, kernel.hash) };
}

/** A device that holds all layers of the stage. */
export function modelOf({ parameters, readToMake }: Stage): DeviceModel {
  return modelDevice(parameters, STAGE_LAYERS, readToMake);
}

/** A prover that runs nothing: it says what it was told to say, after a millisecond. */
export function sayOnly(
  clock: ManualClock,
  layers: number,
  said: Readonly<Record<PhaseName, PhaseDeclaration>>,
): Prover {
  return {
    fill: async () => layers,
    runPhase: async ({ name }) => {
      clock.advance(1);
      return said[name];
    },
    open: async () => new Uint8Array(),
  };
}

/** A number below `limit` from bytes that were drawn. */
export function below(bytes: Uint8Array, limit: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) % limit;
}
