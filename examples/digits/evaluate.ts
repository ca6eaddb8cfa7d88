import { pathToFileURL } from 'node:url';
import { heldOutCount, heldOutShard, readDataFile, trainingShard } from './digits-data.ts';
import { type Model, readModel, toModel } from './model.ts';
import { countCorrect } from './network.ts';
import { type EpochReport, type Schedule, train } from './training.ts';

/** Least accuracy on the held-out fifth that counts as trained. */
export const leastAccuracy = 0.95;
/** Most that a weight may differ from the one-process run; sums taken in another order differ by some 1e-15. */
export const mostDifference = 1e-5;

/** Trains on the same schedule in this one process, with all rows. */
export async function trainReference(
  schedule: Schedule,
  onEpoch: (report: EpochReport) => void = () => undefined,
): Promise<Model> {
  const { csv, sha256 } = readDataFile();
  const trained = await train({
    schedule,
    rank: 0,
    ranks: 1,
    shard: trainingShard(csv, 0, 1),
    heldOut: heldOutShard(csv, 0, 1),
    allReduce: async () => undefined,
    onEpoch,
  });
  return toModel(trained, { schedule, ranks: 1, dataSha256: sha256 });
}

/** Largest absolute difference between two weights of the same place; infinite where the shapes differ. */
export function largestDifference(left: Model, right: Model): number {
  if (left.parameters.length !== right.parameters.length) return Number.POSITIVE_INFINITY;
  return left.parameters.reduce((largest, value, index) => {
    const difference = Math.abs(value - (right.parameters[index] ?? Number.NaN));
    return Math.max(largest, difference);
  }, 0);
}

/** Share of the held-out rows that the weights get right, from the data alone; what the model says of itself is not read. */
export function accuracyOf(model: Model): number {
  const heldOut = heldOutShard(readDataFile().csv, 0, 1);
  return countCorrect(model.schedule, Float64Array.from(model.parameters), heldOut) / heldOutCount;
}

export interface Evaluation {
  readonly accuracy: number;
  readonly largestDifference: number;
  readonly passed: boolean;
}

/** Checks a model that came back: accuracy, and that its weights are those of a one-process run. */
export async function evaluate(model: Model): Promise<Evaluation> {
  const accuracy = accuracyOf(model);
  const difference = largestDifference(model, await trainReference(model.schedule));
  return {
    accuracy,
    largestDifference: difference,
    passed: accuracy >= leastAccuracy && difference <= mostDifference,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const result = await evaluate(readModel(process.argv[2] ?? 'outputs/model.json'));
  console.log(JSON.stringify(result));
  process.exitCode = result.passed ? 0 : 1;
}
