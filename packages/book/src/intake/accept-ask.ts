import { type AskId, type AskTaken, checkSignedAsk, hashAsk, LatentError, toLatentError } from '@latent/protocol';
import type { Address } from 'viem';
import { type BookContext, nowSeconds } from '../book-context.ts';
import type { KeptAsk } from '../store/kept-asks.ts';
import { parseAsk } from './parse-ask.ts';

type Intake = Pick<
  BookContext,
  'options' | 'domain' | 'kept' | 'roster' | 'checkAgent' | 'agentLimiter' | 'clock' | 'logger' | 'signal'
>;

/**
 * Takes an ask in: schema and ranges, signature, expiry, chain, room; then it is on disk, then it is served. Its size and
 * the sender's rate have been held to their limits before. An ask that is kept already is taken again at no cost.
 *
 * While the chain does not answer, the ask is kept and not served (`pending`); `verifyPending` sees to it.
 *
 * @param sender the agent key that the sender has proved, if any: it may send no one else's asks
 * @throws LatentError MESSAGE_INVALID, ASK_OUT_OF_RANGE, NOT_ALLOWED, ASK_RESOURCE_MISMATCH, ASK_EXPIRED, ASK_BAD_SIGNATURE
 * (also for another chain or escrow: a digest does not say which), ASK_UNKNOWN_AGENT, ASK_CANCELLED, ASK_OVERSOLD,
 * BOOK_RATE_LIMITED, CHAIN_UNREACHABLE if too many are pending, CHAIN_WRONG
 */
export async function acceptAsk(intake: Intake, value: unknown, sender?: Address): Promise<AskTaken> {
  const { domain, kept, checkAgent, agentLimiter, clock, logger, signal } = intake;
  const signed = parseAsk(value, nowSeconds(clock));
  const { ask } = signed;
  if (sender !== undefined && ask.agentKey !== sender) {
    throw new LatentError('NOT_ALLOWED', `Agent ${sender} cannot send an ask of agent ${ask.agentKey}.`);
  }
  const known = kept.find(hashAsk(domain, ask));
  if (known !== undefined && ask.validUntil > nowSeconds(clock)) return taken(known);

  const id = await checkSignedAsk(domain, signed, nowSeconds(clock));
  // Presence connections are limited message by message, before anything is done for them.
  if (sender === undefined) agentLimiter.admit(ask.agentKey);
  const verified = await confirm(() => checkAgent(ask, signal));

  const added: KeptAsk = { id, signed, verified };
  makeRoom(intake, added);
  kept.keep(added);
  logger.info({ ask: id, agent: ask.agentKey, verified }, 'ask taken');
  return taken(added);
}

/** Whether the chain bears the ask out; false while it does not answer. */
async function confirm(check: () => Promise<void>): Promise<boolean> {
  try {
    await check();
    return true;
  } catch (thrown) {
    const error = toLatentError(thrown);
    if (error.code !== 'CHAIN_UNREACHABLE') throw error;
    return false;
  }
}

function taken({ id, verified }: KeptAsk): AskTaken {
  return { id, state: verified ? 'accepted' : 'pending' };
}

/** Refuses what would oversell a machine or overfill the book; lets go of the agent's own oldest asks where that helps. */
function makeRoom({ options, kept, roster }: Intake, added: KeptAsk): void {
  const { ask } = added.signed;
  const siblings = kept.ofAgent(ask.agentKey).filter(({ id }) => id !== added.id);
  const offered = Math.min(...siblings.map(({ signed }) => signed.ask.devices));
  if (ask.devices > offered) {
    throw new LatentError(
      'ASK_OVERSOLD',
      `The ask offers ${ask.devices} devices; another ask of the same machine says that it has ${offered}.`,
      {
        hint: 'Withdraw the other asks first, or cancel them on chain.',
        details: { agentKey: ask.agentKey, devices: ask.devices, offered },
      },
    );
  }
  const isAffirmed = ({ id }: { id: AskId }) => roster.of(ask.agentKey)?.affirmed.has(id) ?? false;
  const surplus = siblings.length + 1 - options.maxAsksPerAgent;
  const droppable = siblings.filter((sibling) => !isAffirmed(sibling)).slice(0, Math.max(0, surplus));
  if (droppable.length < surplus) {
    throw full(`Agent ${ask.agentKey} has ${siblings.length} asks here already.`, 'Withdraw some of them.');
  }
  if (kept.size - droppable.length >= options.maxAsks) {
    throw full(`The book holds ${kept.size} asks and no more.`, 'Try another book.');
  }
  if (!added.verified && kept.pending().length >= options.maxPendingAsks) {
    throw new LatentError('CHAIN_UNREACHABLE', 'The chain does not answer, and too many asks wait for it already.');
  }
  if (droppable.length > 0) kept.drop(droppable.map(({ id }) => id));
}

function full(message: string, hint: string): LatentError {
  return new LatentError('BOOK_RATE_LIMITED', message, { hint });
}
