import './no-eval.ts';
import { LatentError, toLatentError } from '@latent/protocol';
import { agentMethods } from '@latent/sdk/agent-methods';
import {
  callMethod,
  createBrowserTransport,
  createKeyPair,
  openMethod,
  type PeerAddress,
  type Transport,
} from '@latent/transport/browser';
import { hexToBytes } from 'viem';
import { z } from 'zod';
import { echoMethod } from './echo-method.ts';
import { findAgent, holdDevice } from './hold-device.ts';
import { type PageAnswer, type PageRequest, pageRequestSchema } from './page-request.ts';

const nextSchema = z.object({ id: z.int(), request: pageRequestSchema });
const TIMEOUT_MS = 30_000;

let transport: Transport | undefined;

function current(): Transport {
  if (transport === undefined) throw new LatentError('INTERNAL', 'The page was not told its key.');
  return transport;
}

async function carryOut(request: PageRequest): Promise<unknown> {
  const options = { signal: new AbortController().signal, timeoutMs: TIMEOUT_MS };
  switch (request.do) {
    case 'begin':
      transport = createBrowserTransport({
        keyPair: createKeyPair(hexToBytes(request.seed)),
        times: { resumeMs: request.resumeMs },
      });
      return transport.key;
    case 'find':
      return await findAgent(request.agent);
    case 'hold a device':
      return await holdDevice(request.agent, request.renter);
    case 'hold':
      return await callMethod(current(), request.peer, agentMethods.hold, request.params, options);
    case 'status':
      return await callMethod(current(), request.peer, agentMethods.status, { leaseId: request.leaseId }, options);
    case 'read logs':
      return await readLogs(request);
    case 'echo':
      return await echo(request.peer, request.sizes);
    case 'stay':
      await openMethod(current(), request.peer, echoMethod, {}, options);
      return null;
    default:
      return request satisfies never;
  }
}

async function readLogs({ peer, leaseId, until }: Extract<PageRequest, { do: 'read logs' }>): Promise<number> {
  const options = { signal: AbortSignal.timeout(TIMEOUT_MS), timeoutMs: TIMEOUT_MS };
  const params = { leaseId, offset: 0, follow: true };
  const { channel } = await openMethod(current(), peer, agentMethods.logs, params, options);
  const decoder = new TextDecoder();
  let text = '';
  for await (const message of channel.messages()) {
    if (message.kind === 'bytes') text += decoder.decode(message.bytes, { stream: true });
    if (text.includes(until)) break;
  }
  channel.destroy();
  return text.split(until).length - 1;
}

/** Sends and receives at once, as neither side could hold it all. */
async function echo(peer: PeerAddress, sizes: readonly number[]): Promise<number> {
  const options = { signal: new AbortController().signal, timeoutMs: TIMEOUT_MS };
  const { channel } = await openMethod(current(), peer, echoMethod, {}, options);
  const sending = (async () => {
    for (const [index, size] of sizes.entries()) await channel.sendBytes(messageOf(index, size));
    await channel.end();
  })();
  const receiving = (async () => {
    let bytes = 0;
    let index = 0;
    for await (const message of channel.messages()) {
      const expected = messageOf(index, sizes[index] ?? 0);
      if (message.kind !== 'bytes' || !areSame(message.bytes, expected)) {
        throw new LatentError('MESSAGE_INVALID', `Message ${index} came back as another one.`);
      }
      bytes += message.bytes.byteLength;
      index += 1;
    }
    return bytes;
  })();
  const [bytes] = await Promise.all([receiving, sending]);
  return bytes;
}

/** No two messages, and no two places of one, are likely to be taken for each other. */
function messageOf(index: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + (at >> 8) + index * 7) % 251;
  return bytes;
}

function areSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
}

async function post(path: string, body: string): Promise<void> {
  await fetch(path, { method: 'POST', body });
}

function toAnswer(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part));
}

/** Takes one request after the other, and lets each take its time. */
async function main(): Promise<void> {
  while (true) {
    const { id, request } = nextSchema.parse(await (await fetch('/next')).json());
    void carryOut(request)
      .then(
        (value): PageAnswer => ({ kind: 'value', value }),
        (thrown: unknown): PageAnswer => {
          const { code, message } = toLatentError(thrown);
          return { kind: 'error', code, message };
        },
      )
      .then((answer) => post(`/answer?id=${id}`, toAnswer(answer)));
  }
}

void main().catch((error: unknown) => post('/failure', String(error)));
