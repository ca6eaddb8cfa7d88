import { randomBytes } from 'node:crypto';
import { LatentError } from '@latent/protocol';
import { answerAsked, readSetup } from '../harness/start-process.ts';
import type { Channel, WayDialler } from './channel.ts';
import {
  type DiallerAsked,
  type DiallerSetup,
  type DiallerTold,
  diallerAskedSchema,
  diallerSetupSchema,
} from './notes.ts';
import { dialOurWay } from './our-way.ts';
import { echoMessage, sinkMessage } from './serve-channel.ts';
import { dialByUdx } from './udx-way.ts';
import { dialByWss } from './wss-way.ts';

// The end that dials, and takes the times, in a process of its own.

const TIMEOUT_MS = 120_000;
const setup = readSetup(diallerSetupSchema);
const dialler = createDialler(setup);
const held: Channel[] = [];
answerAsked<DiallerAsked, DiallerTold>(diallerAskedSchema, { kind: 'ready' }, answer);

function createDialler({ way, seed, at, certificate }: DiallerSetup): WayDialler {
  switch (way) {
    case 'direct':
    case 'relayed':
    case 'tcp':
      return dialOurWay({ way, seed, at });
    case 'wss':
      return dialByWss({ url: at, certificate });
    case 'udx':
      return dialByUdx(Number(at));
    default:
      return way satisfies never;
  }
}

async function answer(asked: DiallerAsked): Promise<DiallerTold> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  switch (asked.kind) {
    case 'connect':
      return await timeConnects(asked.count, signal);
    case 'echo':
      return await timeEchoes(asked, signal);
    case 'bulk':
      return await timeBulk(asked, signal);
    case 'calls':
      return await timeCalls(asked, signal);
    case 'hold': {
      const before = performance.now();
      let left = asked.count;
      await atOnce(asked.atOnce, async () => {
        while (left > 0) {
          left -= 1;
          const channel = await dialler.connect(signal);
          held.push(channel);
          await echoOnce(channel, echoMessage(1));
        }
      });
      return { kind: 'took', ms: performance.now() - before };
    }
    default:
      return asked satisfies never;
  }
}

async function timeConnects(count: number, signal: AbortSignal): Promise<DiallerTold> {
  const connectMs: number[] = [];
  const answerMs: number[] = [];
  for (let number = 0; number < count; number += 1) {
    const before = performance.now();
    const channel = await dialler.connect(signal);
    connectMs.push(performance.now() - before);
    await echoOnce(channel, echoMessage(1));
    answerMs.push(performance.now() - before);
    channel.close();
  }
  return { kind: 'connected', connectMs, answerMs };
}

async function timeEchoes(
  { count, bytes }: { readonly count: number; readonly bytes: number },
  signal: AbortSignal,
): Promise<DiallerTold> {
  const channel = await dialler.open(signal);
  const ms: number[] = [];
  for (let number = 0; number < count; number += 1) {
    const before = performance.now();
    await echoOnce(channel, echoMessage(bytes));
    ms.push(performance.now() - before);
  }
  channel.close();
  return { kind: 'echoed', ms };
}

async function timeBulk(
  { messageBytes, totalBytes }: { readonly messageBytes: number; readonly totalBytes: number },
  signal: AbortSignal,
): Promise<DiallerTold> {
  const message = randomBytes(messageBytes);
  const channel = await dialler.open(signal);
  await channel.send(sinkMessage(totalBytes));
  const before = performance.now();
  for (let sent = 0; sent < totalBytes; sent += messageBytes) {
    signal.throwIfAborted();
    await channel.send(message);
  }
  if ((await channel.receive()) === undefined) throw new LatentError('INTERNAL', 'Not everything arrived.');
  const ms = performance.now() - before;
  channel.close();
  return { kind: 'took', ms };
}

async function timeCalls(asked: DiallerAsked & { readonly kind: 'calls' }, signal: AbortSignal): Promise<DiallerTold> {
  const message = echoMessage(asked.bytes);
  await dialler.call(message, signal);
  const before = performance.now();
  let left = asked.count;
  await atOnce(asked.atOnce, async () => {
    while (left > 0) {
      left -= 1;
      await dialler.call(message, signal);
    }
  });
  return { kind: 'took', ms: performance.now() - before };
}

async function atOnce(count: number, work: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, work));
}

async function echoOnce(channel: Channel, message: Uint8Array): Promise<void> {
  await channel.send(message);
  if ((await channel.receive()) === undefined) throw new LatentError('INTERNAL', 'The other end ended amid an echo.');
}
