import { type FilesResult, filesResultSchema, LatentError, type LeaseId } from '@latent/protocol';
import { openMethod } from '@latent/transport';
import type { AgentLink } from './agent-link.ts';
import { agentMethods } from './agent-methods.ts';

const FIRST_ANSWER_MS = 10_000;

/**
 * Sends the job's files as a tar stream; the agent unpacks them into the member's folder.
 * @throws LatentError JOB_FILES_TOO_LARGE, STREAM_CLOSED, and those of `openMethod`
 */
export async function uploadFiles(
  link: AgentLink,
  leaseId: LeaseId,
  tar: AsyncIterable<Uint8Array>,
  options: { readonly signal: AbortSignal; readonly onBytes?: (bytes: number) => void },
): Promise<FilesResult> {
  const { channel } = await openMethod(
    link.transport,
    link.peer,
    agentMethods.upload,
    { leaseId },
    {
      signal: options.signal,
      timeoutMs: FIRST_ANSWER_MS,
    },
  );
  try {
    for await (const chunk of tar) {
      for (const piece of pieces(chunk)) {
        await channel.sendBytes(piece);
        options.onBytes?.(piece.byteLength);
      }
    }
    await channel.end();
    const message = await channel.receive();
    if (message?.kind !== 'json') throw new LatentError('STREAM_CLOSED', 'The agent did not confirm the files.');
    return filesResultSchema.parse(message.value);
  } finally {
    channel.destroy();
  }
}

const PIECE_BYTES = 64 * 1024;

function* pieces(chunk: Uint8Array): Generator<Uint8Array> {
  for (let offset = 0; offset < chunk.byteLength; offset += PIECE_BYTES)
    yield chunk.subarray(offset, offset + PIECE_BYTES);
}
