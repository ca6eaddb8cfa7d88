import { parseArgs } from 'node:util';
import { LatentError } from '@latent/protocol';

export interface Arguments {
  /** Undefined: list what there is. */
  readonly name: string | undefined;
  readonly json: boolean;
  readonly save: boolean;
  readonly runs: number | undefined;
  readonly minutes: number | undefined;
}

export const USAGE = 'npm run bench -- <name> [--runs <count>] [--minutes <count>] [--json] [--save]';

/** @throws LatentError CONFIG_INVALID */
export function readArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parse(argv);
  const [name, ...more] = positionals;
  if (more.length > 0) throw invalid('One benchmark at a time: two would measure each other.');
  const { json = false, save = false } = values;
  const [runs, minutes] = [readCount('--runs', values.runs), readCount('--minutes', values.minutes)];
  return { name, json, save, runs, minutes };
}

function readCount(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,4}$/.test(text)) throw invalid(`${option} wants 1 to 99999, not "${text}".`);
  return Number(text);
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        save: { type: 'boolean' },
        runs: { type: 'string' },
        minutes: { type: 'string' },
      },
    });
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : 'These arguments cannot be read.', cause);
  }
}

function invalid(message: string, cause?: unknown): LatentError {
  return new LatentError('CONFIG_INVALID', message, { hint: USAGE, cause });
}
