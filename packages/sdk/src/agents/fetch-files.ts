import { LatentError, type LeaseId } from '@latent/protocol';
import { openMethod } from '@latent/transport';
import type { AgentLink } from './agent-link.ts';
import { agentMethods } from './agent-methods.ts';

const FIRST_ANSWER_MS = 10_000;

/**
 * A tar stream of `paths` below the member's folder. What comes is a stranger's: unpack it with `unpackFiles`.
 * @throws LatentError while iterating: STREAM_CLOSED if it breaks, MESSAGE_TOO_LARGE beyond `maxBytes`
 */
export async function* fetchFiles(
  link: AgentLink,
  leaseId: LeaseId,
  paths: readonly string[],
  options: { readonly signal: AbortSignal; readonly maxBytes: number },
): AsyncGenerator<Uint8Array, void, void> {
  const { channel } = await openMethod(
    link.transport,
    link.peer,
    agentMethods.fetch,
    { leaseId, paths: [...paths] },
    {
      signal: options.signal,
      timeoutMs: FIRST_ANSWER_MS,
      maxReceivedBytes: options.maxBytes,
    },
  );
  try {
    let isComplete = false;
    for await (const message of channel.messages()) {
      if (message.kind === 'bytes') yield message.bytes;
      else isComplete = true;
    }
    if (!isComplete) throw new LatentError('STREAM_CLOSED', 'The files broke off.');
  } finally {
    channel.destroy();
  }
}
