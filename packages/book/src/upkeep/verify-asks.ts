import { type LatentError, toLatentError } from '@latent/protocol';
import type { BookContext } from '../book-context.ts';
import type { KeptAsk } from '../store/kept-asks.ts';

type Verification = Pick<BookContext, 'kept' | 'roster' | 'checkAgent' | 'logger' | 'signal'>;

/** Asks the chain at once about so many asks; the chain client sends them as one request. */
const BATCH = 100;

/** Serves what had to wait for the chain, or drops it, and tells the agent. One log line while the chain stays silent. */
export async function verifyPending(context: Verification): Promise<void> {
  const pending = context.kept.pending();
  if (pending.length === 0) return;
  if (!(await verify(context, pending))) {
    context.logger.warn({ asks: pending.length }, 'the chain does not answer: asks are kept and wait for it');
  }
}

/** Drops what the chain no longer bears out: agents that have left or have cancelled their asks. */
export async function recheckServed(context: Verification): Promise<void> {
  const served = context.kept.all().filter(({ verified }) => verified);
  if (!(await verify(context, served))) {
    context.logger.warn({ asks: served.length }, 'the chain does not answer: served asks could not be checked again');
  }
}

/** @returns false as soon as the chain does not answer */
async function verify(context: Verification, asks: readonly KeptAsk[]): Promise<boolean> {
  for (let at = 0; at < asks.length; at += BATCH) {
    const outcomes = await Promise.all(asks.slice(at, at + BATCH).map((ask) => verifyOne(context, ask)));
    if (outcomes.includes('silent')) return false;
  }
  return true;
}

async function verifyOne(context: Verification, asked: KeptAsk): Promise<'settled' | 'silent'> {
  const { kept, roster, checkAgent, logger, signal } = context;
  const { id, signed } = asked;
  const refusal = await checkAgent(signed.ask, signal).then(() => undefined, toLatentError);
  // It may have been withdrawn, or have expired, while the chain was asked.
  const ask = kept.find(id);
  if (ask === undefined) return 'settled';
  if (refusal === undefined) {
    if (ask.verified) return 'settled';
    kept.keep({ ...ask, verified: true });
    logger.info({ ask: id, agent: signed.ask.agentKey }, 'the chain bears the ask out');
    roster.of(signed.ask.agentKey)?.tell({ kind: 'ask-accepted', ask: id });
    return 'settled';
  }
  if (!isFinal(refusal)) return 'silent';
  kept.drop([id]);
  logger.info({ ask: id, agent: signed.ask.agentKey, code: refusal.code }, 'dropped an ask');
  roster.of(signed.ask.agentKey)?.tell({ kind: 'refused', code: refusal.code, message: refusal.message });
  return 'settled';
}

/** Only the chain's own word ends an ask: a silent, wrong or failing endpoint does not. */
function isFinal({ code }: LatentError): boolean {
  return code === 'ASK_UNKNOWN_AGENT' || code === 'ASK_CANCELLED';
}
