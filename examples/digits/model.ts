import { readFileSync } from 'node:fs';
import { pixelCount } from './digits-data.ts';
import { parameterCount } from './network.ts';
import type { Schedule, TrainedModel } from './training.ts';

/** What rank 0 leaves in `outputs/model.json`. */
export interface Model {
  readonly format: 'latent-digits/1';
  readonly schedule: Schedule;
  /** Ranks that trained it. */
  readonly ranks: number;
  readonly steps: number;
  /** On the held-out fifth, as rank 0 saw it; `accuracyOf` computes it anew. */
  readonly accuracy: number;
  /** Digest of the packed data set. */
  readonly dataSha256: string;
  /** All parameters in the order of `network.ts`; JSON keeps every bit of a double. */
  readonly parameters: readonly number[];
}

export function toModel(trained: TrainedModel, of: Pick<Model, 'schedule' | 'ranks' | 'dataSha256'>): Model {
  return {
    format: 'latent-digits/1',
    ...of,
    steps: trained.steps,
    accuracy: trained.accuracy,
    parameters: [...trained.parameters],
  };
}

/** @throws Error saying what is wrong with the file. */
export function readModel(file: string | URL): Model {
  const model: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isModel(model)) throw new Error(`${file} is no model of this example`);
  return model;
}

function isModel(value: unknown): value is Model {
  if (!isRecord(value) || !isRecord(value['schedule'])) return false;
  const { schedule, parameters } = value;
  const isNumber = (entry: unknown): entry is number => typeof entry === 'number' && Number.isFinite(entry);
  const counts = ['hidden', 'epochs', 'batch', 'learningRate', 'momentum', 'seed'].map((key) => schedule[key]);
  const hidden = schedule['hidden'];
  return (
    value['format'] === 'latent-digits/1' &&
    counts.every(isNumber) &&
    [value['ranks'], value['steps'], value['accuracy']].every(isNumber) &&
    typeof value['dataSha256'] === 'string' &&
    isNumber(hidden) &&
    hidden > 0 &&
    hidden <= 64 * pixelCount &&
    Array.isArray(parameters) &&
    parameters.length === parameterCount({ hidden }) &&
    parameters.every(isNumber)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
