import { chargeUp, type Member } from '@latent/protocol';

type Priced = Pick<Member, 'rate'>;

/** The most that units can cost, in base units; per member rounded up, as the deposit is. */
export function promiseUp(members: readonly Priced[], units: readonly bigint[]): bigint {
  return members.reduce((sum, { rate }, index) => sum + chargeUp(units[index] ?? 0n, rate), 0n);
}

/**
 * As much of what is wanted as a budget allows: what was promised before, and of what comes on top the same share for every
 * member. So no member is paid ahead of the others while money runs out.
 * @param before one entry per member; never made smaller, also where it is beyond the budget already
 * @param wanted one entry per member, each at least as large as before
 */
export function fitBudget(
  members: readonly Priced[],
  before: readonly bigint[],
  wanted: readonly bigint[],
  budget: bigint,
): readonly bigint[] {
  const more = wanted.map((amount, index) => amount - (before[index] ?? 0n));
  const whole = more.reduce((most, amount) => (amount > most ? amount : most), 0n);
  const share = (part: bigint) =>
    before.map((amount, index) => amount + (whole === 0n ? 0n : ((more[index] ?? 0n) * part) / whole));
  const fits = (part: bigint) => promiseUp(members, share(part)) <= budget;
  if (fits(whole)) return wanted;
  let fitting = 0n;
  for (let tooMuch = whole; tooMuch - fitting > 1n; ) {
    const middle = (fitting + tooMuch) / 2n;
    if (fits(middle)) fitting = middle;
    else tooMuch = middle;
  }
  return share(fitting);
}
