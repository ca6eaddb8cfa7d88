import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { LatentError } from '@latent/protocol';
import { type EngineCall, openRequest, readBody, withLimit } from './call-engine.ts';
import { notRunning } from './exec-answers.ts';
import type { Engine } from './open-engine.ts';
import { complaintOf } from './read-answer.ts';

/**
 * Starts a command and gives the connection over which its streams run from then on: what is written is its stdin, what is read
 * are frames (`readFrames`).
 * @throws LatentError MEMBER_NOT_STARTED, DRIVER_FAILED, DRIVER_UNAVAILABLE
 */
export async function openExecStream(engine: Engine, exec: string): Promise<Socket> {
  const call: EngineCall = {
    method: 'POST',
    path: engine.at(`/exec/${exec}/start`),
    body: { Detach: false, Tty: false },
    headers: { Connection: 'Upgrade', Upgrade: 'tcp' },
    limitMs: engine.limits.askMs,
  };
  return withLimit(engine.socketPath, call, undefined, async (stop) => {
    const over = new AbortController();
    const giveUp = () => over.abort();
    stop.addEventListener('abort', giveUp, { once: true });
    try {
      const asked = openRequest(engine.socketPath, call, over.signal);
      const refused = once(asked, 'response', { signal: over.signal });
      const upgraded = once(asked, 'upgrade', { signal: over.signal });
      // Only one of them comes about.
      for (const one of [refused, upgraded]) one.catch(() => undefined);
      const [response, socket, head] = await Promise.race([upgraded, refused]);
      if (!isSocket(socket)) throw await refusal(response);
      socket.on('error', () => undefined);
      if (Buffer.isBuffer(head) && head.length > 0) socket.unshift(head);
      return socket;
    } finally {
      // The connection is the caller's now, and no longer subject to this limit.
      stop.removeEventListener('abort', giveUp);
    }
  });
}

async function refusal(response: IncomingMessage): Promise<LatentError> {
  const answer = { status: response.statusCode ?? 0, text: await readBody(response) };
  if (answer.status === 404 || answer.status === 409) return notRunning();
  return new LatentError('DRIVER_FAILED', `The container engine could not start a command: ${complaintOf(answer)}.`);
}

function isSocket(value: unknown): value is Socket {
  return typeof value === 'object' && value !== null && 'write' in value && 'unshift' in value;
}
