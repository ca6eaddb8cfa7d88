import type { Engine } from '../provers/engine.ts';
import { layerBytes, type Parameters } from '../spec/parameters.ts';
import { phaseOf } from '../spec/phase.ts';

export interface MeasuredDevice {
  readonly readBytesPerSecond: number;
  readonly madeBytesPerSecond: number;
  /** How many times faster weights are read than derived. */
  readonly readToMake: number;
}

/** Passes whose fastest counts: the first ones warm up. */
const PASSES = 4;
/** Fillings whose fastest counts. */
const FILLS = 3;

/**
 * Times an engine's filling against its bandwidth passes. Other load slows filling and reading by different factors, so that the
 * ratio is no better than the machine is quiet.
 * @param nowMs a clock that does not run backwards
 */
export async function measureReadToMake(
  { engine, nowMs }: { readonly engine: Engine; readonly nowMs: () => number },
  {
    parameters,
    layers,
    signal,
  }: { readonly parameters: Parameters; readonly layers: number; readonly signal: AbortSignal },
): Promise<MeasuredDevice> {
  const bytes = layers * layerBytes(parameters);
  let fillMs = Number.POSITIVE_INFINITY;
  for (let fill = 0; fill < FILLS; fill++) {
    const startedMs = nowMs();
    await engine.fill({ parameters, sessionId: new Uint8Array(32).fill(fill), layers, signal });
    fillMs = Math.min(fillMs, nowMs() - startedMs);
  }
  let bestMs = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < PASSES; pass++) {
    const passStartedMs = nowMs();
    const seed = new Uint8Array(32).fill(pass + 1);
    await engine.runPass({ phase: phaseOf(parameters, 'bandwidth', layers), seed, signal });
    bestMs = Math.min(bestMs, nowMs() - passStartedMs);
  }
  return {
    readBytesPerSecond: (bytes / bestMs) * 1000,
    madeBytesPerSecond: (bytes / fillMs) * 1000,
    readToMake: fillMs / bestMs,
  };
}
