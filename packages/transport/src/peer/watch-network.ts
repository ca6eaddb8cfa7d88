import { networkInterfaces } from 'node:os';
import { every } from '../timers.ts';

const LOOK_MS = 2_000;
/** A timer that is this late was not late: the machine slept. */
const SLEPT_MS = 10_000;

/** Calls `onChange` when the machine's addresses have changed, or when it has slept. @returns stops it */
export function watchNetwork(onChange: () => void): () => void {
  let addresses = listAddresses();
  let lookedMs = Date.now();
  return every(LOOK_MS, () => {
    const now = listAddresses();
    const hasSlept = Date.now() - lookedMs > LOOK_MS + SLEPT_MS;
    const isOther = now !== addresses;
    addresses = now;
    lookedMs = Date.now();
    if (isOther || hasSlept) onChange();
  });
}

function listAddresses(): string {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all
    .map(({ address }) => address)
    .sort()
    .join(' ');
}
