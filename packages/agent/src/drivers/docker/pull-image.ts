import { LatentError } from '@latent/protocol';
import type { PrepareOptions } from '../driver.ts';
import { type EngineCall, openRequest, readBody, sendRequest, withLimit } from './engine/call-engine.ts';
import type { Engine } from './engine/open-engine.ts';
import { printable } from './engine/printable.ts';
import { complaintOf } from './engine/read-answer.ts';
import { createPullProgress } from './pull-progress.ts';

const maxLineBytes = 1 << 20;

/**
 * Has the engine fetch an image. No credentials are sent. It ends when nothing has happened for `pullStallMs`, after `pullMs` in
 * all, and when the layers come to more than `pullBytes` as far as the engine says so (Podman does not).
 * @param reference in full
 * @throws LatentError IMAGE_NOT_FOUND, IMAGE_TOO_LARGE, IMAGE_UNREACHABLE for a registry that does not answer or stalls, DRIVER_FAILED,
 * DRIVER_UNAVAILABLE, CANCELLED
 */
export async function pullImage(engine: Engine, reference: string, options: PrepareOptions): Promise<void> {
  const { limits } = engine;
  const { signal, onProgress } = options;
  const path = engine.at(`/images/create?fromImage=${encodeURIComponent(reference)}`);
  const call: EngineCall = { method: 'POST', path, limitMs: limits.pullMs };
  const stalled = new AbortController();
  const stop = AbortSignal.any([signal, stalled.signal]);
  let timer = setTimeout(() => stalled.abort(), limits.pullStallMs);
  const progress = createPullProgress();
  const onLine = (text: string) => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(), limits.pullStallMs);
    const error = progress.take(text);
    if (error !== undefined) throw pullError(reference, printable(error));
    const bytes = progress.bytes();
    if (bytes.totalBytes > limits.pullBytes) throw tooLarge(reference, bytes.totalBytes, limits.pullBytes);
    onProgress?.(bytes);
  };
  try {
    await withLimit(engine.socketPath, call, stop, async (ended) => {
      const response = await sendRequest(openRequest(engine.socketPath, call, ended), call);
      if (response.statusCode !== 200) {
        const answer = { status: response.statusCode ?? 0, text: await readBody(response) };
        throw pullError(reference, complaintOf(answer));
      }
      // Leaving the loop by a throw destroys the connection, by which the engine gives the fetching up.
      for await (const line of linesOf(response)) onLine(line);
    });
  } catch (error) {
    if (signal.aborted || !stalled.signal.aborted) throw error;
    throw new LatentError(
      'IMAGE_UNREACHABLE',
      `The image ${reference} has made no progress for ${limits.pullStallMs / 1000} s, and its fetching was ended.`,
      { hint: 'The registry, or the way to it, is too slow: try again later, or take another registry.', cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}

async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      yield rest.subarray(0, end).toString();
      rest = rest.subarray(end + 1);
    }
    if (rest.length > maxLineBytes) {
      throw new LatentError('DRIVER_FAILED', `The container engine wrote a line of more than ${maxLineBytes} bytes.`);
    }
  }
  if (rest.length > 0) yield rest.toString();
}

/** The words by which Docker, Podman and registries say that there is no such image, or not for everybody. */
const refusals =
  /not found|manifest unknown|name unknown|no such (image|manifest)|unauthorized|authentication required|denied|forbidden|no matching manifest|invalid reference/i;

function pullError(reference: string, complaint: string): LatentError {
  const message = `The image ${reference} could not be fetched: ${complaint || 'no reason was given'}.`;
  if (refusals.test(complaint)) {
    return new LatentError('IMAGE_NOT_FOUND', message, {
      hint: 'See that the name is right, and that the image is public and made for this processor.',
    });
  }
  return new LatentError('IMAGE_UNREACHABLE', message, {
    hint: 'See that the registry can be reached from this machine.',
  });
}

function tooLarge(reference: string, bytes: number, limit: number): LatentError {
  return new LatentError(
    'IMAGE_TOO_LARGE',
    `The image ${reference} has ${bytes} bytes to fetch; at most ${limit} are taken.`,
    {
      hint: 'Take a smaller image.',
    },
  );
}
