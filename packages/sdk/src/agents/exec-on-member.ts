import { execExitSchema, LatentError, type LeaseId } from '@latent/protocol';
import { type MethodChannel, openMethod } from '@latent/transport';
import type { AgentLink } from './agent-link.ts';
import { agentMethods, EXEC_STDERR } from './agent-methods.ts';

const FIRST_ANSWER_MS = 10_000;

export interface ExecOnMemberOptions {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly onOutput: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Runs a command beside a member's job. @returns its exit status. @throws LatentError MEMBER_NOT_STARTED, STREAM_CLOSED */
export async function execOnMember(
  link: AgentLink,
  leaseId: LeaseId,
  options: ExecOnMemberOptions,
): Promise<{ readonly code: number; readonly reason?: string | undefined }> {
  const params = { leaseId, argv: [...options.argv], env: { ...options.env } };
  const { channel } = await openMethod(link.transport, link.peer, agentMethods.exec, params, {
    signal: options.signal,
    timeoutMs: FIRST_ANSWER_MS,
  });
  const ended = new AbortController();
  const sending = sendInput(channel, options.stdin, ended.signal);
  try {
    for await (const message of channel.messages()) {
      if (message.kind === 'json') return execExitSchema.parse(message.value);
      await options.onOutput(message.bytes[0] === EXEC_STDERR ? 'stderr' : 'stdout', message.bytes.subarray(1));
    }
    throw new LatentError('STREAM_CLOSED', 'The command’s exit status did not arrive.');
  } finally {
    ended.abort();
    channel.destroy();
    await sending;
  }
}

/** A command may end before it has read all of its input: what cannot be sent then is of no interest. */
async function sendInput(channel: MethodChannel, stdin: AsyncIterable<Uint8Array>, ended: AbortSignal): Promise<void> {
  const input = stdin[Symbol.asyncIterator]();
  const end = new Promise<undefined>((resolve) =>
    ended.addEventListener('abort', () => resolve(undefined), { once: true }),
  );
  try {
    for (;;) {
      const next = await Promise.race([input.next(), end]);
      if (next === undefined) return;
      if (next.done === true) break;
      await channel.sendBytes(next.value);
    }
    await channel.end();
  } catch (thrown) {
    if (!ended.aborted) channel.destroy();
    if (!(thrown instanceof LatentError)) throw thrown;
  }
}
