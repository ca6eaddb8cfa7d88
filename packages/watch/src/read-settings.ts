import { readFile } from 'node:fs/promises';
import { LatentError } from '@latent/protocol';
import { z } from 'zod';

const MAX_BYTES = 256 * 1024;

/**
 * The settings in a JSON file. Amounts are text; an unknown name is refused.
 * @throws LatentError CONFIG_INVALID, naming what does not fit
 */
export async function readSettings<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LatentError('CONFIG_INVALID', `${path} cannot be read.`, {
      hint: 'docs/guide/keeper.md shows what is in it.',
      cause,
    });
  });
  if (text.length > MAX_BYTES) throw new LatentError('CONFIG_INVALID', `${path} is longer than ${MAX_BYTES} bytes.`);
  const parsed = schema.safeParse(parseJson(path, text));
  if (parsed.success) return parsed.data;
  throw new LatentError('CONFIG_INVALID', `${path}: ${z.prettifyError(parsed.error)}`, {
    hint: 'docs/guide/keeper.md says what each setting means.',
  });
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LatentError('CONFIG_INVALID', `${path} is not JSON.`, { cause });
  }
}
