import { readFileSync } from 'node:fs';
import { LatentError } from '@latent/protocol';
import { z } from 'zod';
import { hasCode } from './has-code.ts';

/**
 * Reads and parses a JSON file that the devnet wrote itself; undefined if there is none.
 * @throws LatentError STORE_FAILED when it is not what was written
 */
export function readJsonFile<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return undefined;
    throw damaged(path, 'it cannot be read', thrown);
  }
  const json = parseJson(text);
  if (json === undefined) throw damaged(path, 'it is not JSON');
  const parsed = schema.safeParse(json.value);
  if (!parsed.success) throw damaged(path, z.prettifyError(parsed.error).replaceAll('\n', ' '), parsed.error);
  return parsed.data;
}

/** undefined where the text is no JSON. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function damaged(path: string, why: string, cause?: unknown): LatentError {
  return new LatentError('STORE_FAILED', `${path} is damaged: ${why}.`, {
    hint: 'Remove the folder of the local network and start a new one; nothing in it has value.',
    details: { path },
    cause,
  });
}
