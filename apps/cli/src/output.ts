import type { LatentError } from '@latent/protocol';

/**
 * Where a command speaks. With `--json` standard output carries exactly one JSON value, the result; everything for people
 * goes to standard error then. Without it, lines for people go to standard output.
 */
export interface Output {
  readonly isJson: boolean;
  /** Standard output is a terminal that a person looks at. */
  readonly isLive: boolean;
  line(text: string): void;
  /** What went wrong on the way without ending the command. */
  warn(text: string): void;
  /** The result for machines; printed with `--json` only. */
  result(value: unknown): void;
  error(error: LatentError): void;
}

export function createOutput({ json }: { readonly json: boolean }): Output {
  const out = json ? process.stderr : process.stdout;
  return {
    isJson: json,
    isLive: !json && process.stdout.isTTY === true,
    line: (text) => void out.write(`${text}\n`),
    warn: (text) => void process.stderr.write(`! ${text}\n`),
    result: (value) => {
      if (json) process.stdout.write(`${JSON.stringify(value, jsonValue, 2)}\n`);
    },
    error: (error) => {
      if (json) process.stdout.write(`${JSON.stringify({ error: error.toBody() }, jsonValue, 2)}\n`);
      process.stderr.write(`${error.code}: ${error.message}\n`);
      if (error.hint !== undefined) process.stderr.write(`  ${error.hint}\n`);
    },
  };
}

/** Amounts and units go as decimal strings: JSON's numbers cannot hold them. */
function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
