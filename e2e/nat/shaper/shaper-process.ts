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
const PACKETS_AT_ONCE = 1_024;

const OPEN: LinkShape = { seed: 0 };

const [internetEnd = '', placeEnd = ''] = process.argv.slice(2);
const memory = allocatePackets(SLOTS, SLOT_BYTES);
const ends = { internet: openTun(internetEnd), place: openTun(placeEnd) };
const up = createWay(leadingTo(ends.internet), 'up', OPEN);
const down = createWay(leadingTo(ends.place), 'down', OPEN);

watch();
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

/** As long as nothing is on its way, packets are read as they come. */
function watch(): void {
  ends.place.watch(carry);
  ends.internet.watch(carry);
}

/**
 * As long as something is on its way, the clock has to be looked at every millisecond anyway. What has come is read then, many
 * at a time: to be woken for each costs more than to carry it.
 */
function carry(): void {
  readAll(ends.place, up);
  readAll(ends.internet, down);
  if (up.waiting() + down.waiting() === 0) return;
  ends.place.ignore();
  ends.internet.ignore();
  setTimeout(tick, 1);
}

function tick(): void {
  const nowMs = performance.now();
  up.advance(nowMs);
  down.advance(nowMs);
  readAll(ends.place, up);
  readAll(ends.internet, down);
  if (up.waiting() + down.waiting() === 0) watch();
  else setTimeout(tick, 1);
}

function readAll(from: Tun, way: Way): void {
  let left = PACKETS_AT_ONCE;
  while (left > 0 && readOne(from, way)) left -= 1;
}

/** Gives whether there was a packet. */
function readOne(from: Tun, way: Way): boolean {
  const slot = memory.take();
  const length = from.read(slot === undefined ? memory.spare : memory.addressOf(slot), SLOT_BYTES);
  if (slot === undefined) {
    if (length > 0) way.refuse();
  } else if (length > 0 && !isMulticast(slot)) way.arrive(slot, length, performance.now());
  else memory.release(slot);
  return length > 0;
}

/** What IPv6 says to all that are on a link. It means nothing here, and comes whenever it likes. */
function isMulticast(slot: number): boolean {
  return memory.byte(slot, 0) >> 4 === 6 ? memory.byte(slot, 24) === 0xff : memory.byte(slot, 16) >> 4 === 0xe;
}
