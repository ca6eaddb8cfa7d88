// The program of a shaper: makes two TUN devices in its namespace and carries packets between them.
// Arguments: the device at the internet's end, the one at the place's end. Orders come from the parent; it ends with it.

import { createWay, type Way } from './create-way.ts';
import type { LinkShape } from './link-shape.ts';
import { type Answer, orderSchema } from './messages.ts';
import { allocatePackets, openTun, type Tun } from './open-tun.ts';

/** 64 MB: 0.8 s of 60 MB/s in full packets. */
const SLOTS = 32_768;
const SLOT_BYTES = 2_048;

/** Then the clock and the other direction have their turn. */
const PACKETS_AT_ONCE = 256;

const OPEN: LinkShape = { seed: 0 };

const [internetEnd = '', placeEnd = ''] = process.argv.slice(2);
const memory = allocatePackets(SLOTS, SLOT_BYTES);
const ends = { internet: openTun(internetEnd), place: openTun(placeEnd) };
const up = createWay(leadingTo(ends.internet), 'up', OPEN);
const down = createWay(leadingTo(ends.place), 'down', OPEN);
let timer: NodeJS.Timeout | undefined;

ends.place.onReadable(() => readAll(ends.place, up));
ends.internet.onReadable(() => readAll(ends.internet, down));
process.on('message', (message) => {
  const order = orderSchema.parse(message);
  if (order.kind === 'count') {
    answer({ kind: 'counts', counts: { up: up.counts(), down: down.counts() } });
    return;
  }
  up.setShape(order.shape);
  down.setShape(order.shape);
  answer({ kind: 'shaped' });
});
process.on('disconnect', () => process.exit(0));
answer({ kind: 'ready' });

function answer(message: Answer): void {
  process.send?.(message);
}

function leadingTo(end: Tun) {
  return {
    send: (slot: number, length: number) => {
      // A device that is down loses what is sent to it, as a link would.
      end.write(memory.addressOf(slot), length);
      memory.release(slot);
    },
    release: memory.release,
  };
}

function readAll(from: Tun, way: Way): void {
  const nowMs = performance.now();
  advance(nowMs);
  let left = PACKETS_AT_ONCE;
  while (left > 0 && readOne(from, way, nowMs)) left -= 1;
  keepTime();
}

/** Gives whether there was a packet. */
function readOne(from: Tun, way: Way, nowMs: number): boolean {
  const slot = memory.take();
  const length = from.read(slot === undefined ? memory.spare : memory.addressOf(slot), SLOT_BYTES);
  if (slot === undefined) {
    if (length > 0) way.refuse();
  } else if (length > 0 && !isMulticast(slot)) way.arrive(slot, length, nowMs);
  else memory.release(slot);
  return length > 0;
}

/** What IPv6 says to all that are on a link. It means nothing here, and comes whenever it likes. */
function isMulticast(slot: number): boolean {
  return memory.byte(slot, 0) >> 4 === 6 ? memory.byte(slot, 24) === 0xff : memory.byte(slot, 16) >> 4 === 0xe;
}

function advance(nowMs: number): void {
  up.advance(nowMs);
  down.advance(nowMs);
}

function keepTime(): void {
  if (timer !== undefined || up.waiting() + down.waiting() === 0) return;
  timer = setTimeout(() => {
    timer = undefined;
    advance(performance.now());
    keepTime();
  }, 1);
}
