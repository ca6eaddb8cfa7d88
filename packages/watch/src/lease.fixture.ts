import type { FollowedLease, Roster } from '@latent/chain';
import {
  addressSchema,
  askIdSchema,
  type EscrowDomain,
  hashOrder,
  type LeaseTerms,
  leaseTermsSchema,
  type SignedVoucher,
  signVoucher,
} from '@latent/protocol';
import { keccak256, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

export const domain: EscrowDomain = { chainId: 31_337, escrow: addressSchema.parse(`0x${'e5'.repeat(20)}`) };
export const OPENED_AT = 1_800_000_000;

export const accountOf = (name: string) => privateKeyToAccount(keccak256(toHex(`key of ${name}`)));
export const meter = accountOf('meter');
export const operatorOf = (index: number) => accountOf(`operator ${index}`).address;
export const agentOf = (index: number) => accountOf(`agent ${index}`);

export interface LeaseWish {
  readonly members?: number;
  readonly salt?: bigint;
  readonly maxSeconds?: number;
  readonly closeWindow?: number;
  readonly prepay?: number;
  readonly rate?: bigint;
  readonly devices?: number;
  readonly stopAt?: number | undefined;
  readonly paidUnits?: readonly bigint[];
  readonly paidAt?: number;
  readonly roster?: Roster;
}

/** $3.60 per device-hour: 1,000 base units a second. */
const RATE = 1_000_000_000_000n;

function leaseTermsOf({
  members = 2,
  salt = 1n,
  maxSeconds = 86_400,
  closeWindow = 3_600,
  prepay = 10,
  rate = RATE,
  devices = 1,
}: LeaseWish = {}): LeaseTerms {
  return leaseTermsSchema.parse({
    order: {
      renter: accountOf('renter').address,
      session: `0x${'0'.repeat(40)}`,
      meterKey: meter.address,
      deposit: 1_000_000_000n,
      ...{ maxSeconds, closeWindow, prepay, salt },
      maxFeeBps: 50,
      openBy: OPENED_AT + 60,
      workload: `0x${'0'.repeat(64)}`,
    },
    members: Array.from({ length: members }, (_, index) => ({
      ask: askIdSchema.parse(keccak256(toHex(`ask ${index}`))),
      operator: operatorOf(index),
      agentKey: agentOf(index).address,
      ...{ devices, rate },
    })),
  });
}

/** An open lease as a follower has it. */
export function followedLease(wish: LeaseWish = {}): FollowedLease {
  const terms = leaseTermsOf(wish);
  const { stopAt, paidUnits = [], paidAt = OPENED_AT, roster } = wish;
  const charged = terms.members.reduce(
    (sum, { rate }, index) => sum + ((paidUnits[index] ?? 0n) * rate) / 1_000_000_000n,
    0n,
  );
  const event = { block: 1n, transaction: keccak256(toHex('transaction')) };
  return {
    leaseId: hashOrder(domain, terms),
    state: stopAt === undefined ? 'active' : 'stopping',
    ...{ terms, openedAt: OPENED_AT, members: terms.members, roster, paidUnits, charged, stopAt, closed: undefined },
    changes: roster === undefined ? [] : [{ roster, added: [], block: 1n, timestamp: OPENED_AT }],
    events: [
      { ...event, name: 'Opened', timestamp: OPENED_AT },
      ...(paidUnits.length === 0 ? [] : [{ ...event, name: 'Paid', timestamp: paidAt }]),
    ],
  };
}

/** Not signed: for what looks at its content alone. */
export function voucherOf(
  lease: FollowedLease,
  units: readonly bigint[],
  accrueFrom?: readonly number[],
): SignedVoucher {
  const digest = keccak256(toHex(`${units.join()} ${accrueFrom?.join()}`)).slice(2);
  return {
    leaseId: lease.leaseId,
    units: [...units],
    accrueFrom: [...(accrueFrom ?? units.map(() => 0))],
    signature: `0x${digest}${digest}1b`,
  };
}

export function signedVoucherOf(lease: FollowedLease, units: readonly bigint[], accrueFrom?: readonly number[]) {
  const { leaseId } = lease;
  return signVoucher(meter, domain, {
    leaseId,
    units: [...units],
    accrueFrom: [...(accrueFrom ?? units.map(() => 0))],
  });
}
