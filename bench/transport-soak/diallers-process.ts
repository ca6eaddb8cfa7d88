import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createKeyPair,
  createPeerTransport,
  createRelayTransport,
  openNodeLinkSocket,
  type PeerAddress,
  type Transport,
} from '@latent/transport';
import { answerAsked, readSetup } from '../harness/start-process.ts';
import { connectAtLast, createTally, exercise, noteFailure } from './exercise.ts';
import { keepStream, type LastingStream } from './lasting-stream.ts';
import { type DiallersAsked, type DiallersTold, diallersAskedSchema, diallersSetupSchema } from './notes.ts';
import { SOAK_TIMES } from './soak-times.ts';
import { takeSample } from './take-sample.ts';

// Everybody who dials. Some have a connection that lasts, through the book or by UDP; others make one after the other.

const RELAYED = 12;
const DIRECT = 8;
const FRESH = 3;
const CALLS_OF_FRESH = 5;
/** Between two calls of one dialler. */
const PAUSE_MS = 10;
const UPGRADE_LOOKS = 100;

interface Lasting {
  readonly name: string;
  readonly transport: Transport;
  readonly peer: PeerAddress;
  readonly stream: LastingStream;
}

const { seed, book, udp } = readSetup(diallersSetupSchema);
const { key } = createKeyPair(Buffer.from(seed, 'hex'));
const tally = createTally();
const lasting: Lasting[] = [];
for (let number = 0; number < RELAYED + DIRECT; number += 1) {
  const isDirect = number >= RELAYED;
  const transport = createTransport(isDirect);
  const peer = { key, hints: [isDirect ? udp : book] };
  const stream = await connectAtLast(transport, peer, tally);
  const name = `${isDirect ? 'direct' : 'relayed'} ${number}`;
  lasting.push({ name, transport, peer, stream: keepStream(stream, tally) });
}

let isStopping = false;
let running: Promise<unknown> = Promise.resolve();
answerAsked<DiallersAsked, DiallersTold>(diallersAskedSchema, { kind: 'ready' }, async (asked) => {
  switch (asked.kind) {
    case 'start':
      isStopping = false;
      running = Promise.all([...lasting.flatMap(useLasting), ...Array.from({ length: FRESH }, useFresh)]);
      return { kind: 'started' };
    case 'stop':
      isStopping = true;
      await running;
      await Promise.all(lasting.map((one) => attempt(`${one.name}, at rest`, () => one.stream.echo())));
      return { kind: 'stopped', counts: tally };
    case 'sample':
      return { kind: 'sampled', sample: await takeSample() };
    default:
      return asked satisfies never;
  }
});

function createTransport(dialsDirectly: boolean): Transport {
  const options = { keyPair: createKeyPair(randomBytes(32)), times: SOAK_TIMES };
  return dialsDirectly
    ? createPeerTransport(options)
    : createRelayTransport({ ...options, openSocket: openNodeLinkSocket });
}

function useLasting({ name, transport, peer, stream }: Lasting): readonly Promise<void>[] {
  return [
    repeat(`${name}, call`, () => exercise(transport, peer, tally)),
    repeat(`${name}, lasting stream`, () => stream.echo()),
  ];
}

async function useFresh(): Promise<void> {
  await repeat('fresh', async () => {
    const transport = createTransport(true);
    try {
      await useOnce(transport);
    } finally {
      await transport.close();
    }
  });
}

async function useOnce(transport: Transport): Promise<void> {
  const peer = { key, hints: [book] };
  const stream = await connectAtLast(transport, peer, tally);
  const began = stream.route?.kind;
  for (let call = 0; call < CALLS_OF_FRESH; call += 1) await exercise(transport, peer, tally);
  for (let look = 0; look < UPGRADE_LOOKS && stream.route?.kind !== 'direct'; look += 1) await sleep(PAUSE_MS);
  if (began === 'relayed' && stream.route?.kind === 'direct') tally.upgraded += 1;
  tally.connections += 1;
}

async function repeat(name: string, work: () => Promise<void>): Promise<void> {
  while (!isStopping) {
    if (!(await attempt(name, work))) return;
    await sleep(PAUSE_MS);
  }
}

async function attempt(name: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (thrown) {
    noteFailure(tally, name, thrown);
    return false;
  }
}
