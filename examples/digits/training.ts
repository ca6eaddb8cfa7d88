import { createHash } from 'node:crypto';
import { type Digits, heldOutCount, trainingCount } from './digits-data.ts';
import { addGradients, countCorrect, initialParameters, parameterCount } from './network.ts';
import { makeRandom } from './random.ts';

/** Everything that decides the weights but the data and the order in which sums are taken. */
export interface Schedule {
  readonly hidden: number;
  readonly epochs: number;
  /** Images of one step, of all ranks together. */
  readonly batch: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly seed: number;
}

export const defaultSchedule: Schedule = {
  hidden: 32,
  epochs: 100,
  batch: 32,
  learningRate: 0.1,
  momentum: 0.9,
  seed: 1998,
};

export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Mean over the training rows as the epoch went. */
  readonly loss: number;
  /** On the held-out rows, 0 to 1. */
  readonly accuracy: number;
}

export interface TrainedModel {
  readonly parameters: Float64Array;
  readonly accuracy: number;
  readonly steps: number;
}

export interface TrainingRank {
  readonly schedule: Schedule;
  readonly rank: number;
  readonly ranks: number;
  /** Row `k` is training row `rank + k × ranks`. */
  readonly shard: Digits;
  readonly heldOut: Digits;
  /** Replaces each number of the vector by its sum over all ranks, the same bits on each. */
  readonly allReduce: (vector: Float64Array) => Promise<void>;
  readonly onEpoch: (report: EpochReport) => void;
}

/**
 * Synchronous gradient descent with momentum. Which images make up a step depends on the schedule alone; each rank adds
 * up the gradients of those that are in its shard, so that any number of ranks takes the same steps.
 */
export async function train(of: TrainingRank): Promise<TrainedModel> {
  const { schedule, rank, ranks, shard } = of;
  const parameters = initialParameters(schedule, schedule.seed);
  const count = parameterCount(schedule);
  const velocity = new Float64Array(count);
  const sums = new Float64Array(count + 1); // the last one is the loss
  let accuracy = 0;
  let steps = 0;
  for (let epoch = 1; epoch <= schedule.epochs; epoch += 1) {
    let epochLoss = 0;
    for (const batch of batchesOf(schedule, epoch)) {
      const rows = batch.filter((row) => row % ranks === rank).map((row) => (row - rank) / ranks);
      sums.fill(0);
      sums[count] = addGradients(schedule, parameters, shard, rows, sums);
      await of.allReduce(sums);
      epochLoss += sums[count] ?? Number.NaN;
      takeStep(schedule, parameters, velocity, sums, batch.length);
      steps += 1;
    }
    const correct = new Float64Array([countCorrect(schedule, parameters, of.heldOut)]);
    await of.allReduce(correct);
    accuracy = (correct[0] ?? Number.NaN) / heldOutCount;
    of.onEpoch({ epoch, epochs: schedule.epochs, loss: epochLoss / trainingCount, accuracy });
  }
  return { parameters, accuracy, steps };
}

/** The training rows of each step of an epoch, shuffled by seed and epoch; every row once. */
export function batchesOf(schedule: Schedule, epoch: number): number[][] {
  const random = makeRandom(schedule.seed * 1000 + epoch);
  const order = Array.from({ length: trainingCount }, (_, row) => row);
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const swapped = order[other] ?? 0;
    order[other] = order[last] ?? 0;
    order[last] = swapped;
  }
  const steps = Math.ceil(trainingCount / schedule.batch);
  return Array.from({ length: steps }, (_, step) => order.slice(step * schedule.batch, (step + 1) * schedule.batch));
}

function takeStep(
  schedule: Schedule,
  parameters: Float64Array,
  velocity: Float64Array,
  gradientSums: Float64Array,
  images: number,
): void {
  for (let index = 0; index < parameters.length; index += 1) {
    const gradient = (gradientSums[index] ?? Number.NaN) / images;
    const speed = schedule.momentum * (velocity[index] ?? 0) - schedule.learningRate * gradient;
    velocity[index] = speed;
    parameters[index] = (parameters[index] ?? 0) + speed;
  }
}

/** Digest of the exact bits of the weights. */
export function weightsDigest(parameters: Float64Array): Buffer {
  return createHash('sha256')
    .update(new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength))
    .digest();
}
