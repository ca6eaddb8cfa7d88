import { type Deployment, deploymentSchema, LatentError } from '@latent/protocol';
import { z } from 'zod';
import { readBoundedFile } from './read-bounded-file.ts';

const MOST_BYTES = 64 * 1024;

/** @throws LatentError CONFIG_INVALID */
export async function loadDeployment(path: string): Promise<Deployment> {
  const text = await readBoundedFile(path, MOST_BYTES, 'a deployment file');
  const parsed = deploymentSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new LatentError('CONFIG_INVALID', `${path} is no deployment: ${z.prettifyError(parsed.error)}`, {
    hint: 'It is made by `latent network deploy`, and is part of every file in networks/.',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema says what is wrong with undefined.
    return undefined;
  }
}
