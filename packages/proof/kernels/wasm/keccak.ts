// Keccak-256 with the original padding: 0x01 after the message, 0x80 in the last byte of the block.

import { permute } from './permute';

const RATE: usize = 136;
const RATE_LANES: usize = 17;
const LAST_BIT: u64 = 0x8000000000000000;

const single = memory.data(200, 16);
/** Two states, interleaved as `permute<v128>` wants them. */
const double = memory.data(400, 16);

/** Begins a message of any length. */
export function begin(): void {
  memory.fill(single, 0, 200);
}

/** Takes whole blocks of 136 bytes. */
export function absorb(from: usize, blocks: usize): void {
  for (; blocks > 0; blocks--) {
    absorbLanes(from, RATE_LANES);
    permute<u64>(single);
    from += RATE;
  }
}

// @ts-ignore: decorator
@inline
function absorbLanes(from: usize, lanes: usize): void {
  for (let lane: usize = 0; lane < lanes; lane++) {
    const at = single + (lane << 3);
    store<u64>(at, load<u64>(at) ^ load<u64>(from + (lane << 3)));
  }
}

/** Takes what is left, 0 … 135 bytes, and writes the digest's 32 bytes. */
export function finish(from: usize, length: usize, to: usize): void {
  absorbLanes(from, length >> 3);
  for (let index = length & ~7; index < length; index++) {
    store<u8>(single + index, load<u8>(single + index) ^ load<u8>(from + index));
  }
  store<u8>(single + length, load<u8>(single + length) ^ 0x01);
  store<u8>(single + RATE - 1, load<u8>(single + RATE - 1) ^ 0x80);
  permute<u64>(single);
  memory.copy(to, single, 32);
}

/** Digest of one message. */
export function hash(from: usize, length: usize, to: usize): void {
  const blocks = length / RATE;
  begin();
  absorb(from, blocks);
  finish(from + blocks * RATE, length - blocks * RATE, to);
}

/** Digests of two messages of the same length, a multiple of 8 bytes. They may be written over the messages. */
export function hashPair(first: usize, second: usize, length: usize, toFirst: usize, toSecond: usize): void {
  let lanes = length >> 3;
  clearPair();
  for (; lanes >= RATE_LANES; lanes -= RATE_LANES) {
    absorbPair(first, second, RATE_LANES);
    permutePair();
    first += RATE;
    second += RATE;
  }
  absorbPair(first, second, lanes);
  xorLane(lanes, i64x2.splat(1));
  xorLane(RATE_LANES - 1, i64x2.splat(LAST_BIT));
  permutePair();
  v128.store(toFirst, digestPart(0, false));
  v128.store(toFirst, digestPart(1, false), 16);
  v128.store(toSecond, digestPart(0, true));
  v128.store(toSecond, digestPart(1, true), 16);
}

/** For messages that are written lane by lane: all zero at first. */
export function clearPair(): void {
  memory.fill(double, 0, 400);
}

// @ts-ignore: decorator
@inline
export function setLane(lane: usize, pair: v128): void {
  v128.store(double + (lane << 4), pair);
}

// @ts-ignore: decorator
@inline
function xorLane(lane: usize, pair: v128): void {
  const at = double + (lane << 4);
  v128.store(at, v128.xor(v128.load(at), pair));
}

/** Pads a message of `lanes` lanes, below 17, whose other lanes are zero. */
// @ts-ignore: decorator
@inline
export function padPair(lanes: usize): void {
  setLane(lanes, i64x2.splat(1));
  setLane(RATE_LANES - 1, i64x2.splat(LAST_BIT));
}

export function permutePair(): void {
  permute<v128>(double);
}

function absorbPair(first: usize, second: usize, lanes: usize): void {
  for (let lane: usize = 0; lane < lanes; lane++) {
    const low = v128.load_zero<u64>(first + (lane << 3));
    xorLane(lane, v128.load_lane<u64>(second + (lane << 3), low, 1));
  }
}

/** Makes the digests that were just computed the next messages, 32 bytes long: a further link of a chain. */
export function chainPair(): void {
  memory.fill(double + 4 * 16, 0, 21 * 16);
  padPair(4);
  permutePair();
}

/** Bytes 0 … 15 or 16 … 31 of one of both digests. */
// @ts-ignore: decorator
@inline
export function digestPart(half: usize, second: bool): v128 {
  const at = double + (half << 5);
  const a = v128.load(at);
  const b = v128.load(at, 16);
  return second ? v128.shuffle<u64>(a, b, 1, 3) : v128.shuffle<u64>(a, b, 0, 2);
}
