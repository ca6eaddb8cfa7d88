import { LatentError } from '@latent/protocol';
import { z } from 'zod';
import { MOST_PROOF_BYTES } from '../wire/proof-header.ts';
import type { PhaseTimesMs } from './rates.ts';

const timeMs = z
  .number()
  .nonnegative()
  .max(7 * 24 * 3600 * 1000);
/** Goes to terminals: nothing in it moves a cursor, or turns the order of what is shown. */
const line = z
  .string()
  .max(200)
  .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u);

/** A proof in a file: its bytes, and what the observer adds, which no byte of the proof can show. Nobody signs it. */
const recordSchema = z.strictObject({
  format: z.literal('latent proof 1'),
  /** What the device called itself. */
  device: z.strictObject({ name: line, class: z.enum(['gpu', 'cpu', 'software']), engine: line }),
  /** Who is said to have published the beacons and taken the times. `self`: the prover's own machine, which convinces nobody else. */
  observer: line,
  timesMs: z.strictObject({ compute: timeMs, bandwidth: timeMs }),
  proof: z
    .string()
    .max(2 * MOST_PROOF_BYTES)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/),
});

/** Texts have at most 200 characters, and no control or format characters. */
export interface ProofRecord {
  readonly device: { readonly name: string; readonly class: 'gpu' | 'cpu' | 'software'; readonly engine: string };
  readonly observer: string;
  readonly timesMs: PhaseTimesMs;
  readonly proof: Uint8Array;
}

/** Longest file that `parseRecord` looks at, in characters. */
export const MOST_RECORD_CHARACTERS = 3 * MOST_PROOF_BYTES;

/** @returns what `parseRecord` takes, if the record is in its bounds */
export function formatRecord({ device, observer, timesMs, proof }: ProofRecord): string {
  const record = { format: 'latent proof 1', device, observer, timesMs, proof: toBase64(proof) };
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

/** @throws LatentError PROOF_TOO_LARGE, PROOF_MALFORMED */
export function parseRecord(text: string): ProofRecord {
  if (text.length > MOST_RECORD_CHARACTERS) {
    throw new LatentError(
      'PROOF_TOO_LARGE',
      `The file has ${text.length} characters; no proof has over ${MOST_RECORD_CHARACTERS}.`,
    );
  }
  const { format: _, proof, ...rest } = parsed(text);
  try {
    return { ...rest, proof: Uint8Array.from(atob(proof), (character) => character.charCodeAt(0)) };
  } catch (cause) {
    throw new LatentError('PROOF_MALFORMED', 'The proof in the file is not base64.', { cause });
  }
}

function parsed(text: string): z.infer<typeof recordSchema> {
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch (cause) {
    const where = cause instanceof z.ZodError ? (cause.issues[0]?.path.join('.') ?? '') : '';
    throw new LatentError(
      'PROOF_MALFORMED',
      `The file is no proof record${where === '' ? '' : `: ${where} is wrong`}.`,
      {
        hint: 'It is written by `latent device prove`.',
        cause,
      },
    );
  }
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let offset = 0; offset < bytes.length; offset += 8192) {
    binary += String.fromCharCode(...bytes.subarray(offset, offset + 8192));
  }
  return btoa(binary);
}
