import { LatentError } from '@latent/protocol';
import { connectionTargets } from './connection-targets.ts';
import { createDice } from './dice.ts';
import type { Fed, Fuzzed, FuzzTarget } from './fuzz-target.ts';
import { linkTarget } from './link-target.ts';
import { packetTargets } from './packet-targets.ts';
import { createSecureTargets } from './secure-targets.ts';
import { spoilBytes } from './spoil-bytes.ts';
import { udxTarget } from './udx-target.ts';

/** What hostile inputs to one parser came to. Plain JSON. */
export interface FuzzResult {
  readonly inputs: number;
  /** Read as something; most of these are samples that nothing was done to, or that differ in what may be anything. */
  readonly taken: number;
  readonly refused: number;
  /** Ended what was fed, as it should. */
  readonly ended: number;
  /** Anything thrown that is no refusal, with the input: there should be none. */
  readonly crashes: readonly string[];
  /** By the clock that was passed in. */
  readonly longestMs: number;
}

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  readonly nowMs: () => number;
}

const MOST_CRASHES_TOLD = 10;
const MOST_TOLD_BYTES = 200;

/** Everything of the transport that strangers can send bytes to. */
export async function listFuzzTargets(): Promise<readonly FuzzTarget[]> {
  return [...packetTargets, udxTarget, linkTarget, ...connectionTargets, ...(await createSecureTargets())];
}

/** Feeds a target hostile inputs: the same for the same seed. Never throws because of one. */
export async function fuzz(target: FuzzTarget, { inputs, seed, nowMs }: FuzzOptions): Promise<FuzzResult> {
  const dice = createDice(seed);
  const counts = { taken: 0, refused: 0, over: 0 };
  const crashes: string[] = [];
  let longestMs = 0;
  let fuzzed: Fuzzed | undefined;
  for (let index = 0; index < inputs; index += 1) {
    const input = spoilBytes(dice, target.samples);
    fuzzed ??= await target.open(dice);
    const startedMs = nowMs();
    const fed = await feed(fuzzed, input);
    longestMs = Math.max(longestMs, nowMs() - startedMs);
    if (typeof fed === 'string') counts[fed] += 1;
    else if (crashes.length < MOST_CRASHES_TOLD) crashes.push(`${String(fed.thrown)} at ${toHex(input)}`);
    if (fed === 'taken' || fed === 'refused') continue;
    fuzzed.close?.();
    fuzzed = undefined;
  }
  fuzzed?.close?.();
  return { inputs, taken: counts.taken, refused: counts.refused, ended: counts.over, crashes, longestMs };
}

async function feed(fuzzed: Fuzzed, input: Uint8Array): Promise<Fed | { readonly thrown: unknown }> {
  try {
    return await fuzzed.feed(input);
  } catch (thrown) {
    return thrown instanceof LatentError ? 'over' : { thrown };
  }
}

function toHex(input: Uint8Array): string {
  const told = Array.from(input.subarray(0, MOST_TOLD_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${told} (${input.byteLength} bytes)`;
}
