import { type LeaseId, leaseEscrowAbi, leaseIdSchema, operatorsAbi } from '@latent/protocol';
import { type Abi, decodeEventLog, type Hex, keccak256, stringToHex, toEventSelector } from 'viem';
import { z } from 'zod';
import type { RawLog } from '../endpoints/chain-shapes.ts';

export interface DecodedEvent {
  readonly name: string | undefined;
  readonly args: Readonly<Record<string, unknown>>;
  readonly leaseId: LeaseId | undefined;
}

/** What the logs of both contracts are decoded by. */
export interface EventAbis {
  readonly escrow: Abi;
  readonly operators: Abi;
}

export const eventAbis: EventAbis = { escrow: leaseEscrowAbi, operators: operatorsAbi };

const argsSchema = z.record(z.string(), z.unknown());

/** A log by the ABI; whatever does not fit it is kept without a name, as another version of the contract may know it. */
export function decodeEvent(abi: Abi, { topics, data }: Pick<RawLog, 'topics' | 'data'>): DecodedEvent {
  const unknown = { name: undefined, args: {}, leaseId: undefined };
  const [first, ...rest] = topics;
  if (first === undefined) return unknown;
  try {
    const { eventName, args } = decodeEventLog({ abi, topics: [first, ...rest], data, strict: true });
    const named = argsSchema.safeParse(args ?? {});
    if (eventName === undefined || !named.success) return unknown;
    const leaseId = leaseIdSchema.safeParse(named.data['leaseId']);
    return { name: eventName, args: named.data, leaseId: leaseId.success ? leaseId.data : undefined };
  } catch {
    return unknown;
  }
}

/** First topics of all events of the ABI. */
export function firstTopics(abi: Abi): readonly Hex[] {
  return abi.flatMap((item) => (item.type === 'event' ? [toEventSelector(item)] : []));
}

/** Changes where the events change, their names included: what was projected before has to be projected again. */
export function digestOfEvents({ escrow, operators }: EventAbis): Hex {
  const events = [escrow, operators].map((abi) => abi.filter((item) => item.type === 'event'));
  return keccak256(stringToHex(JSON.stringify(events)));
}
