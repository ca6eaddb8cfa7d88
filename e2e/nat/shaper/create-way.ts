import { drawFates } from './draw-fates.ts';
import { type LinkShape, LONGEST_MS, type WayCounts } from './link-shape.ts';

/** A packet is known by the slot of memory it lies in. */
export interface WayEnds {
  readonly send: (slot: number, length: number) => void;
  /** The packet is not to be sent: its slot is free again. */
  readonly release: (slot: number) => void;
}

/** One direction of a link. Times are milliseconds of one clock that never goes back. */
export interface Way {
  arrive(slot: number, length: number, nowMs: number): void;
  /** A packet came that there was no memory for. */
  refuse(): void;
  /** Sends what is due. */
  advance(nowMs: number): void;
  /** Packets on their way. */
  waiting(): number;
  /** Chances and counts begin anew; what is on its way stays so. */
  setShape(shape: LinkShape): void;
  counts(): WayCounts;
}

/** More than the longest delay, the longest lateness and the longest queue together. */
const WHEEL_MS = 32_768;

export function createWay({ send, release }: WayEnds, direction: 'up' | 'down', first: LinkShape): Way {
  // Each millisecond has its packets, slot and length in turn, in the order in which they came.
  const wheel = Array.from({ length: WHEEL_MS }, (): number[] => []);
  let waiting = 0;
  let sentUntil = 0;
  let freeAtMs = 0;
  let way = first[direction] ?? {};
  let draw = drawFates(first, direction);
  let counts = noCounts();

  const sendNow = (slot: number, length: number) => {
    counts.sent += 1;
    send(slot, length);
  };
  const place = (slot: number, length: number, dueMs: number, nowMs: number) => {
    if (dueMs <= nowMs) {
      sendNow(slot, length);
      return;
    }
    if (waiting === 0) sentUntil = Math.floor(nowMs);
    const tick = Math.max(Math.ceil(dueMs), sentUntil + 1);
    wheel[tick % WHEEL_MS]?.push(slot, length);
    waiting += 1;
  };
  /** When the last byte of a packet has left at the rate; undefined where the queue is full. */
  const leaveAt = (length: number, nowMs: number): number | undefined => {
    if (way.rate === undefined) return nowMs;
    const perMs = way.rate / 1_000;
    const startMs = Math.max(nowMs, freeAtMs);
    const waitMs = startMs - nowMs;
    if (waitMs > LONGEST_MS || waitMs * perMs + length > (way.queue ?? Math.max(65_536, 50 * perMs))) return undefined;
    freeAtMs = startMs + length / perMs;
    return freeAtMs;
  };
  return {
    arrive: (slot, length, nowMs) => {
      counts.arrived += 1;
      const fate = draw();
      const leavesMs = fate === 'lost' ? undefined : leaveAt(length, nowMs);
      if (leavesMs === undefined) {
        counts[fate === 'lost' ? 'lost' : 'dropped'] += 1;
        release(slot);
        return;
      }
      if (fate === 'late') counts.late += 1;
      place(slot, length, leavesMs + (way.delayMs ?? 0) + (fate === 'late' ? (way.late?.byMs ?? 0) : 0), nowMs);
    },
    refuse: () => {
      counts.arrived += 1;
      counts.dropped += 1;
    },
    advance: (nowMs) => {
      while (waiting > 0 && sentUntil < Math.floor(nowMs)) {
        sentUntil += 1;
        const due = wheel[sentUntil % WHEEL_MS];
        if (due === undefined || due.length === 0) continue;
        for (let at = 0; at < due.length; at += 2) sendNow(due[at] ?? 0, due[at + 1] ?? 0);
        waiting -= due.length / 2;
        due.length = 0;
      }
    },
    waiting: () => waiting,
    setShape: (shape) => {
      way = shape[direction] ?? {};
      draw = drawFates(shape, direction);
      counts = noCounts();
    },
    counts: () => ({ ...counts }),
  };
}

function noCounts() {
  return { arrived: 0, sent: 0, lost: 0, late: 0, dropped: 0 };
}
