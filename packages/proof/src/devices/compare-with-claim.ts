import type { DeviceClass } from './discovery/device.ts';
import { findKnownDevice } from './known/find-known-device.ts';
import type { Figure, KnownDevice } from './known/known-device.ts';

/**
 * Least part of the reference that counts as "as claimed". No device reaches its paper figures: heat and power hold clocks down,
 * error correction takes memory and bandwidth, and a proof leaves some memory for its work. 15 % is room for these together.
 * Models that are closer to each other than that are not told apart here, nor is it tried.
 */
export const LEAST_AS_CLAIMED = 0.85;

/**
 * Part of the paper figure above which a measurement is suspicious: devices that are clocked up by their makers stay within a
 * tenth of it, while several devices that pose as one do not.
 */
export const MOST_AS_CLAIMED = 1.1;

/** `above` and `below` are mismatches. `not known`: there is nothing to compare with, which is neither. */
export type ClaimVerdict = 'as claimed' | 'below' | 'above' | 'not known';

/** What a proof has shown of a device. Spec: docs/proof.md §11. */
export interface MeasuredDevice {
  readonly operationsPerSecond: bigint;
  readonly memoryBytes: bigint;
  readonly bytesPerSecond: bigint;
}

/** What a device says it is. */
export interface DeviceClaim {
  /** As its driver prints it. */
  readonly name: string;
  readonly class: DeviceClass;
  /** What its driver reports; tells apart models of one name. */
  readonly memoryBytes?: number;
}

/**
 * Part of the paper figure that one engine's kernels reach on a device that is known to be genuine, 0 < part <= 1: measured,
 * never guessed. 1 compares with the paper figure itself. No kernel reaches that in operations, by a part that differs from device
 * to device: where it was not measured it is undefined, and a figure below the paper's then says nothing.
 */
export interface ExpectedParts {
  readonly operations: number | undefined;
  readonly memory: number;
  readonly bandwidth: number;
}

export interface ComparedNumber {
  readonly measured: bigint;
  /** The paper figure; undefined where none is known. */
  readonly reference: bigint | undefined;
  /** Measured over reference, rounded down to a millionth. */
  readonly ratio: number | undefined;
  readonly verdict: ClaimVerdict;
}

export interface ClaimComparison {
  readonly claim: DeviceClaim;
  /** The model that the claim stands for, if it is in the table and may be compared. */
  readonly known: KnownDevice | undefined;
  readonly operations: ComparedNumber;
  readonly memory: ComparedNumber;
  readonly bandwidth: ComparedNumber;
  /** The worst of the three: `above`, then `below`, then `not known`, then `as claimed`. */
  readonly verdict: ClaimVerdict;
  /** Why nothing was compared; absent when something was. */
  readonly reason?: string;
}

const PAPER: ExpectedParts = { operations: undefined, memory: 1, bandwidth: 1 };
const GIB = 1024n ** 3n;
const PPM = 1_000_000n;

interface Reference {
  readonly least: bigint;
  readonly most: bigint;
}

/**
 * Holds what a proof has measured against the paper figures of what the device says it is. The claim is not proven by a match: it
 * only is not contradicted. A processor or a software adapter is never compared as a GPU.
 * @throws RangeError when an expected part is not in 0 … 1, or a measurement is negative
 */
export function compareWithClaim(
  measured: MeasuredDevice,
  claim: DeviceClaim,
  expected: ExpectedParts = PAPER,
): ClaimComparison {
  const known = claim.class === 'gpu' ? findKnownDevice(claim.name, claim.memoryBytes) : undefined;
  const operations = compareNumber(measured.operationsPerSecond, known && operationsOf(known), expected.operations);
  const memory = compareNumber(measured.memoryBytes, known && memoryOf(known), expected.memory);
  const bandwidth = compareNumber(measured.bytesPerSecond, known && bandwidthOf(known), expected.bandwidth);
  const verdict = worstOf([operations.verdict, memory.verdict, bandwidth.verdict]);
  const compared = { claim, known, operations, memory, bandwidth, verdict };
  return known === undefined ? { ...compared, reason: whyNot(claim) } : compared;
}

function whyNot({ name, class: kind }: DeviceClaim): string {
  if (kind === 'gpu') return `no figures are known for "${name}", or for which of the models of that name it is`;
  return `a device of class ${kind} is not compared as a GPU`;
}

function compareNumber(measured: bigint, reference: Reference | undefined, part: number | undefined): ComparedNumber {
  if (measured < 0n) throw new RangeError(`a measurement cannot be negative: ${measured}`);
  if (part !== undefined && !(part > 0 && part <= 1))
    throw new RangeError(`an expected part is above 0 and at most 1: ${part}`);
  if (reference === undefined) return { measured, reference: undefined, ratio: undefined, verdict: 'not known' };
  const ratio = ratioDown(measured, reference.least);
  return {
    measured,
    reference: reference.least,
    ratio,
    verdict: judge(ratio, ratioDown(measured, reference.most), part),
  };
}

function judge(ratioToLeast: number, ratioToMost: number, part: number | undefined): ClaimVerdict {
  if (ratioToMost > MOST_AS_CLAIMED) return 'above';
  if (ratioToLeast >= LEAST_AS_CLAIMED * (part ?? 1)) return 'as claimed';
  return part === undefined ? 'not known' : 'below';
}

function ratioDown(measured: bigint, reference: bigint): number {
  return Number((measured * PPM) / reference) / Number(PPM);
}

function worstOf(verdicts: readonly ClaimVerdict[]): ClaimVerdict {
  const order: readonly ClaimVerdict[] = ['above', 'below', 'not known'];
  return order.find((verdict) => verdicts.includes(verdict)) ?? 'as claimed';
}

/** The faster of the two formats in which the proof can be computed; one of them may be slow on purpose. */
function operationsOf({ int8Tops, bf16Tflops }: KnownDevice): Reference | undefined {
  const figures = [int8Tops, bf16Tflops].filter((figure) => figure !== null);
  const [fastest] = figures.toSorted((one, other) => other.value - one.value);
  return fastest === undefined ? undefined : referenceOf(fastest, 1e12);
}

function bandwidthOf({ bandwidthGBps }: KnownDevice): Reference | undefined {
  return bandwidthGBps === null ? undefined : referenceOf(bandwidthGBps, 1e9);
}

function memoryOf({ memoryGiB }: KnownDevice): Reference | undefined {
  if (memoryGiB === null) return undefined;
  const bytes = BigInt(memoryGiB) * GIB;
  return { least: bytes, most: bytes };
}

function referenceOf({ value, upTo }: Figure, unit: number): Reference {
  return { least: BigInt(Math.round(value * unit)), most: BigInt(Math.round((upTo ?? value) * unit)) };
}
