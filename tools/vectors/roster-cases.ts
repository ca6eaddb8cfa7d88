import { chargeDown, LEFT, owedAt, payableUnits } from '@latent/protocol';
import { type Draw, drawer, maxUint } from './draw.ts';

const CASES = 200;
/** Apart from the draws of the charges. */
const FIRST_DRAW = 10_000;

/**
 * Leases with members that joined, were dismissed and left: what a voucher makes payable for each, and what a deposit has to
 * cover. Fields by their names in the contract; one entry for each member in every list.
 */
export function rosterCases() {
  return Array.from({ length: CASES }, (_, index) => rosterCase(drawer(FIRST_DRAW + index), index));
}

function rosterCase(draw: Draw, index: number) {
  const openedAt = 1_800_000_000 + draw.number(20);
  const lasts = 1 + draw.number(18);
  const now = openedAt + draw.number(18);
  const stopAt = index % 3 === 0 ? openedAt + (draw.number(18) % (now - openedAt + 1)) : 0;
  const prepay = draw.oneOf([0, 1, 30, 60]);
  const lease = { openedAt, stopAt, prepay, now, maxSeconds: lasts };
  const members = Array.from({ length: 1 + draw.number(2) }, () => memberCase(draw, lease, index % 5 === 0));
  const running = {
    ...{ openedAt, stopAt, prepay, members, paidUnits: members.map(({ paid }) => paid) },
    roster: {
      ...{ opened: 1, maxSeconds: lasts, deposit: 0n },
      from: members.map(({ from }) => from),
      until: members.map(({ until }) => until),
    },
  };
  const list = <T>(pick: (member: (typeof members)[number]) => T) => members.map(pick);
  return {
    ...lease,
    devices: list(({ devices }) => devices),
    rate: list(({ rate }) => rate),
    from: list(({ from }) => from),
    until: list(({ until }) => until),
    paid: list(({ paid }) => paid),
    units: list(({ units }) => units),
    accrueFrom: list(({ accrueFrom }) => accrueFrom),
    payableNow: list(({ payable }) => payable),
    charges: list(({ rate, payable }) => chargeDown(payable, rate)),
    owed: owedAt(running, { dismissed: [], maxSeconds: lasts, added: [] }, now),
  };
}

interface Clock {
  readonly openedAt: number;
  readonly stopAt: number;
  readonly prepay: number;
  readonly now: number;
  readonly maxSeconds: number;
}

function memberCase(draw: Draw, lease: Clock, isLarge: boolean) {
  const { openedAt, now, maxSeconds } = lease;
  const own = {
    devices: isLarge ? 1 + Number(draw.bits(31)) : 1 + draw.number(3),
    rate: 1n + (isLarge ? draw.bits(36) : draw.bits(41)),
    from: draw.oneOf([0, 0, openedAt + draw.number(17), now]),
    until: draw.oneOf([0, 0, LEFT, openedAt + draw.number(17), now, now + lease.prepay]),
    accrueFrom: draw.oneOf([0, 0, openedAt + draw.number(16), now, now + 1]),
    units: draw.oneOf([draw.bits(20), draw.bits(24), maxUint(96)]),
  };
  const paid = own.until === LEFT ? draw.bits(20) : 0n;
  if (own.until === LEFT) return { ...own, paid, payable: paid };
  // A roster's from and until narrow the clock from both ends; the metering has one name for each end.
  const ends = own.until === 0 ? maxSeconds : Math.max(0, Math.min(maxSeconds, own.until - openedAt));
  const clock = { ...lease, devices: own.devices, maxSeconds: ends, accrueFrom: Math.max(own.from, own.accrueFrom) };
  return { ...own, paid, payable: payableUnits(own.units, clock, now) };
}
