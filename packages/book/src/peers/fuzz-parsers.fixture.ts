import {
  DISCOVERY_QUESTION_BYTES,
  decodeRelayFrame,
  encodeDiscoveryQuestion,
  LatentError,
  MAX_LINK_MESSAGE_BYTES,
  MAX_RELAY_PAYLOAD_BYTES,
  peerLinkMessageSchema,
  RELAY_HEADER_BYTES,
} from '@latent/protocol';
import { answerQuestion } from './answer-question.ts';
import { parseLinkMessage } from './parse-link-message.ts';
import { createPeer, meeting } from './peer-bench.fixture.ts';

/** How many of the inputs were taken for what they are not far from: none would mean that nothing was tried. */
export interface Fuzzed {
  readonly messages: number;
  readonly questions: number;
  readonly frames: number;
}

/**
 * Gives each parser of what strangers send so many inputs: random ones, and good ones that were damaged.
 * @param seed the same gives the same inputs
 * @throws Error with the input when a parser throws what it should not, or takes what it should not
 */
export function fuzzParsers(count: number, seed: number): Fuzzed {
  const random = createRandom(seed);
  const taken = { messages: 0, questions: 0, frames: 0 };
  for (let done = 0; done < count; done += 1) {
    const message = anyMessage(random);
    if (held(message, tryMessage)) taken.messages += 1;
    const packet = anyPacket(random);
    if (held(packet, tryQuestion)) taken.questions += 1;
    const frame = anyFrame(random);
    if (held(frame, tryFrame)) taken.frames += 1;
  }
  return taken;
}

function held(input: Buffer, parse: (input: Buffer) => boolean): boolean {
  try {
    return parse(input);
  } catch (cause) {
    throw new Error(`${parse.name}: ${input.subarray(0, 512).toString('hex')}`, { cause });
  }
}

function tryMessage(input: Buffer): boolean {
  try {
    const message = parseLinkMessage(input);
    if (!peerLinkMessageSchema.safeParse(message).success) throw new Error('took what does not fit');
    if (JSON.stringify(message).length > MAX_LINK_MESSAGE_BYTES) throw new Error('made more of it than it was');
    return true;
  } catch (thrown) {
    if (thrown instanceof LatentError && ['MESSAGE_INVALID', 'MESSAGE_TOO_LARGE'].includes(thrown.code)) return false;
    throw thrown;
  }
}

function tryQuestion(input: Buffer): boolean {
  const answered = answerQuestion(input, { address: '203.0.113.7', port: 4_433 });
  if (answered === undefined) return false;
  if (input.byteLength !== DISCOVERY_QUESTION_BYTES) throw new Error('answered what is no question');
  if (answered.answer.byteLength >= input.byteLength) throw new Error('answered with more than was asked');
  return true;
}

function tryFrame(input: Buffer): boolean {
  const payloadBytes = input.byteLength - RELAY_HEADER_BYTES;
  const fits = payloadBytes >= 0 && payloadBytes <= MAX_RELAY_PAYLOAD_BYTES;
  const frame = decodeRelayFrame(input);
  if ((frame !== undefined) !== fits) throw new Error('took a frame of the wrong length, or refused one');
  if (frame === undefined) return false;
  if (frame.channel !== input.readUInt32BE(0) || frame.payload.byteLength !== payloadBytes)
    throw new Error('misread it');
  return true;
}

type Random = (below: number) => number;

/** Mulberry32. */
function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const to = createPeer('fuzz').key;
const token = '0123456789abcdef0123456789abcdef';
const good = [
  { kind: 'hello', key: to, signature: `0x${'5a'.repeat(64)}`, accepts: true },
  { kind: 'introduce', channel: 1, to, token, ...meeting },
  { kind: 'answer', channel: 2 ** 31, ...meeting },
  { kind: 'close', channel: 7 },
].map((message) => Buffer.from(JSON.stringify(message)));

/** Values in which JSON is wrong in other ways than broken. */
const odd = [
  'null',
  '[]',
  '{}',
  '-1',
  '1e999',
  '0.5',
  '""',
  '"\\u0000"',
  'true',
  '{"__proto__":1}',
  '9007199254740993',
];

function anyMessage(random: Random): Buffer {
  const text = good[random(good.length)] ?? Buffer.alloc(0);
  switch (random(4)) {
    case 0:
      return anyBytes(random, 300);
    case 1:
      return Buffer.from(
        text.toString().replaceAll(/:("[^"]*"|\d+|true|\[[^\]]*\])/g, (pair) => {
          return random(3) === 0 ? `:${odd[random(odd.length)]}` : pair;
        }),
      );
    case 2:
      return random(50) === 0 ? Buffer.alloc(MAX_LINK_MESSAGE_BYTES + random(3), '[') : text;
    default:
      return damaged(text, random);
  }
}

function anyPacket(random: Random): Buffer {
  if (random(3) === 0) return anyBytes(random, 2 * DISCOVERY_QUESTION_BYTES);
  const kind = random(2) === 0 ? 'same' : 'other';
  const question = Buffer.from(encodeDiscoveryQuestion({ kind, nonce: anyBytes(random, 17) }));
  return random(2) === 0 ? question : damaged(question, random);
}

function anyFrame(random: Random): Buffer {
  if (random(1_000) === 0) return Buffer.alloc(RELAY_HEADER_BYTES + MAX_RELAY_PAYLOAD_BYTES - 1 + random(3));
  return anyBytes(random, 12);
}

function anyBytes(random: Random, below: number): Buffer {
  return Buffer.from(Array.from({ length: random(below) }, () => random(256)));
}

/** A few bytes changed, left out or put in, or the end cut off. */
function damaged(bytes: Buffer, random: Random): Buffer {
  const list = [...bytes];
  for (let changes = 1 + random(3); changes > 0; changes -= 1) {
    const at = random(list.length + 1);
    const kind = random(4);
    if (kind === 0) list.splice(at, 1);
    else if (kind === 1) list.splice(at, 0, random(256));
    else if (kind === 2) list.splice(at, 1, random(256));
    else list.splice(at);
  }
  return Buffer.from(list);
}
