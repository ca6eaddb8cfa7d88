import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { LatentError } from '@latent/protocol';
import { cancelled } from '../../cancelled.ts';
import { hasErrno } from '../../is-missing.ts';
import { printable } from './printable.ts';

/** What is asked of an engine by the Docker Engine API (docs.docker.com/reference/api/engine). */
export interface EngineCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the query, encoded. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The whole answer has to be here by then. */
  readonly limitMs: number;
}

export interface EngineAnswer {
  readonly status: number;
  readonly text: string;
}

/** No answer that we read is larger; one that is has gone wrong. */
const maxAnswerBytes = 4 << 20;

/**
 * Every call is a connection of its own, so that one that hangs holds up no other.
 * @throws LatentError DRIVER_UNAVAILABLE where nothing listens or nothing is answered in time, DRIVER_FAILED for an answer
 * that is not one, CANCELLED.
 */
export async function callEngine(socketPath: string, call: EngineCall, signal?: AbortSignal): Promise<EngineAnswer> {
  return withLimit(socketPath, call, signal, async (stop) => {
    const response = await sendRequest(openRequest(socketPath, call, stop), call);
    return { status: response.statusCode ?? 0, text: await readBody(response) };
  });
}

/** Runs `work` with a signal that aborts at the call's limit, and says in our words what went wrong. */
export async function withLimit<T>(
  socketPath: string,
  call: EngineCall,
  signal: AbortSignal | undefined,
  work: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), call.limitMs);
  const stop = signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]);
  try {
    if (signal?.aborted) throw cancelled(signal);
    return await work(stop);
  } catch (error) {
    if (signal?.aborted) throw cancelled(signal);
    if (error instanceof LatentError) throw error;
    throw limit.signal.aborted ? silent(socketPath, call, error) : toEngineError(socketPath, error);
  } finally {
    clearTimeout(timer);
  }
}

export function openRequest(socketPath: string, call: EngineCall, signal: AbortSignal): ClientRequest {
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  const headers: Record<string, string | number> = { Host: 'engine', ...call.headers };
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    headers['Content-Length'] = Buffer.byteLength(body);
  }
  const asked = request({ socketPath, method: call.method, path: call.path, headers, signal, agent: false });
  asked.end(body);
  return asked;
}

export function sendRequest(asked: ClientRequest, call: EngineCall): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  asked.once('response', resolve).on('error', reject);
  asked.once('upgrade', (_response, socket) => {
    socket.destroy();
    reject(new LatentError('DRIVER_FAILED', `The container engine answered ${call.method} with a stream.`));
  });
  return promise;
}

export async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > maxAnswerBytes) {
      response.destroy();
      throw new LatentError('DRIVER_FAILED', `The container engine’s answer is larger than ${maxAnswerBytes} bytes.`);
    }
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString();
}

/** The engine took the call and says nothing. */
function silent(socketPath: string, call: EngineCall, cause: unknown): LatentError {
  const [path = ''] = call.path.split('?');
  return new LatentError(
    'DRIVER_UNAVAILABLE',
    `The container engine has not answered within ${call.limitMs / 1000} s: ${call.method} ${path} at ${socketPath}.`,
    {
      hint: 'See whether `docker ps` (or `podman ps`) answers, and start the engine anew if not.',
      retry: 'later',
      cause,
    },
  );
}

function toEngineError(socketPath: string, error: unknown): LatentError {
  const unavailable = (message: string, hint: string) =>
    new LatentError('DRIVER_UNAVAILABLE', message, { hint, retry: 'later', cause: error });
  if (hasErrno(error, 'ENOENT') || hasErrno(error, 'ECONNREFUSED') || hasErrno(error, 'ENOTSOCK')) {
    return unavailable(
      `No container engine listens at ${socketPath}.`,
      'Start one: `systemctl start docker`, or `systemctl start podman.socket`.',
    );
  }
  if (hasErrno(error, 'EACCES') || hasErrno(error, 'EPERM')) {
    return unavailable(
      `The agent’s user may not use the container engine at ${socketPath}.`,
      'Run the agent as root or as a member of the socket’s group; who may use the engine is as good as root.',
    );
  }
  if (hasErrno(error, 'ECONNRESET') || hasErrno(error, 'EPIPE')) {
    return unavailable(
      `The container engine at ${socketPath} broke off in the middle of an answer.`,
      'See the engine’s own log: it may just have been restarted.',
    );
  }
  const text = error instanceof Error ? error.message : String(error);
  return new LatentError(
    'DRIVER_FAILED',
    `What listens at ${socketPath} does not answer as an engine: ${printable(text)}.`,
    {
      hint: 'See that the socket is that of Docker or Podman.',
      cause: error,
    },
  );
}
