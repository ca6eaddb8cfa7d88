import type { LeaseId } from '@latent/protocol';
import { openMethod } from '@latent/transport';
import type { AgentLink } from './agent-link.ts';
import { agentMethods } from './agent-methods.ts';

const FIRST_ANSWER_MS = 10_000;

/**
 * A member's output from byte `offset` on; with `follow` until the job has ended.
 * To resume after a break, add the bytes received to `offset`.
 */
export async function* streamLogs(
  link: AgentLink,
  leaseId: LeaseId,
  options: { readonly offset: number; readonly follow: boolean; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, void> {
  const { offset, follow, signal } = options;
  const { channel } = await openMethod(
    link.transport,
    link.peer,
    agentMethods.logs,
    { leaseId, offset, follow },
    {
      signal,
      timeoutMs: FIRST_ANSWER_MS,
    },
  );
  try {
    for await (const message of channel.messages()) {
      if (message.kind === 'bytes') yield message.bytes;
    }
  } finally {
    channel.destroy();
  }
}
