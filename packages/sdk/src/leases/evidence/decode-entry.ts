import {
  LatentError,
  type LeaseLogEntry,
  leaseEscrowAbi,
  leaseTermsSchema,
  memberSchema,
  type Place,
  rosterSchema,
} from '@latent/protocol';
import { decodeEventLog, encodeEventTopics, type Hex } from 'viem';
import { z } from 'zod';
import type { RpcLog } from './rpc-shapes.ts';

const names = ['Opened', 'Paid', 'Changed', 'Stopping', 'Closed'] as const;

/** First topics of a lease's events; the lease's id is the second. */
export const leaseTopics: readonly Hex[] = names.map((eventName) => {
  const [topic] = encodeEventTopics({ abi: leaseEscrowAbi, eventName });
  if (topic === undefined) throw new LatentError('INTERNAL', `The escrow's ABI has no event ${eventName}.`);
  return topic;
});

const membersSchema = z.array(memberSchema);

/** One event of a lease. @throws LatentError MESSAGE_INVALID when it is none of the escrow's, or out of range */
export function decodeEntry({ topics, data }: Pick<RpcLog, 'topics' | 'data'>, place: Place): LeaseLogEntry {
  const [first, ...rest] = topics;
  try {
    if (first === undefined) throw new RangeError('an event without a topic');
    const { eventName, args } = decodeEventLog({ abi: leaseEscrowAbi, data, topics: [first, ...rest], strict: true });
    switch (eventName) {
      case 'Opened':
        return { kind: 'opened', place, terms: leaseTermsSchema.parse(args) };
      case 'Paid':
        return { kind: 'paid', place, units: args.units, charged: args.charged };
      case 'Changed': {
        const roster = rosterSchema.parse(args.roster);
        return { kind: 'changed', place, roster, added: membersSchema.parse(args.added) };
      }
      case 'Stopping':
        return { kind: 'stopping', place, stopAt: args.stopAt };
      case 'Closed':
        return { kind: 'closed', place, charged: args.charged, refund: args.refund };
      default:
        throw new RangeError(`an event ${eventName}`);
    }
  } catch (cause) {
    throw new LatentError('MESSAGE_INVALID', `Log ${place.logIndex} of block ${place.block} is no event of a lease.`, {
      hint: 'Is the deployment file that of this chain?',
      cause,
    });
  }
}
