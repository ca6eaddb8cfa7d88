import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { LatentError } from '@latent/protocol';
import type { LayerRefusal } from './layer-refused.ts';
import type { TreeAccess } from './layer-tree.ts';
import type { LayerBudget, LayerFile } from './unpack-layer.ts';

export interface UnpackTask {
  /** An empty folder that nobody else uses. */
  readonly root: string;
  readonly access: TreeAccess;
  readonly budget: LayerBudget;
}

export type UnpackRequest = LayerFile;

export type UnpackAnswer =
  | { readonly kind: 'done'; readonly bytes: number }
  | { readonly kind: 'refused'; readonly code: LayerRefusal; readonly text: string }
  | { readonly kind: 'failed'; readonly text: string };

/**
 * Unpacks layers as they arrive, the lowest first, in a thread of its own: an image keeps a processor busy for seconds, and
 * the agent has vouchers to count meanwhile.
 * @returns bytes that came out of the compression
 * @throws LatentError IMAGE_INVALID, IMAGE_TOO_LARGE, IMAGE_NO_SPACE, STORE_FAILED, CANCELLED; whatever a layer's promise throws
 */
export async function unpackImage(
  task: UnpackTask,
  layers: readonly Promise<LayerFile>[],
  options: { readonly image: string; readonly signal: AbortSignal },
): Promise<number> {
  const thread = new Worker(new URL('./unpack-worker.ts', import.meta.url), {
    workerData: task,
    name: 'latent-unpack',
  });
  try {
    let bytes = 0;
    for (const arriving of layers) {
      const layer = await arriving;
      const answer = await ask(thread, layer, options.signal);
      if (answer.kind === 'done') bytes = answer.bytes;
      else throw refusal(answer, options.image);
    }
    return bytes;
  } finally {
    await thread.terminate();
  }
}

async function ask(thread: Worker, layer: UnpackRequest, signal: AbortSignal): Promise<UnpackAnswer> {
  try {
    const answered = once(thread, 'message', { signal });
    thread.postMessage(layer);
    const [answer]: UnpackAnswer[] = await answered;
    if (answer !== undefined) return answer;
    return { kind: 'failed', text: 'the thread that unpacks did not answer' };
  } catch (cause) {
    if (signal.aborted) throw new LatentError('CANCELLED', 'Unpacking the image was stopped.', { cause });
    throw new LatentError('STORE_FAILED', 'The thread that unpacks images has failed.', { cause });
  }
}

const hints: Readonly<Record<LayerRefusal, string>> = {
  IMAGE_INVALID: 'Publish the image anew, or use another one.',
  IMAGE_TOO_LARGE: 'Use a smaller image; an operator can allow larger ones by the option imageCacheBytes.',
  IMAGE_NO_SPACE: 'Rent another machine; its operator has to free disk space.',
};

function refusal(answer: Exclude<UnpackAnswer, { kind: 'done' }>, image: string): LatentError {
  if (answer.kind === 'failed') {
    return new LatentError('STORE_FAILED', `The image ${image} cannot be unpacked: ${answer.text.slice(0, 300)}.`);
  }
  return new LatentError(answer.code, `The image ${image} cannot be used: ${answer.text}.`, {
    details: { image },
    hint: hints[answer.code],
  });
}
