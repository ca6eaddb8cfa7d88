import { type EscrowDomain, openDigestSigner, type SignedVoucher } from '@latent/protocol';
import { type AgentLink, heldVoucher } from '../agents/agent-link.ts';
import type { ClusterJournal } from '../clusters/cluster-journal.ts';
import { journalVouchers } from './journal-vouchers.ts';
import { createVoucherEngine, type VoucherEngine } from './voucher-engine.ts';

interface Where {
  readonly name: string;
  readonly journal: ClusterJournal;
  readonly chain: { readonly domain: EscrowDomain };
}

/** The engine of a cluster's lease, over the cluster's record. */
export function clusterVouchers({ name, journal, chain }: Where): VoucherEngine {
  const { leaseId, terms, openedAt, meterSecret } = journal.load(name);
  return createVoucherEngine({
    domain: chain.domain,
    lease: { leaseId, order: terms.order, members: terms.members, openedAt, stopAt: 0 },
    signer: openDigestSigner(meterSecret),
    store: journalVouchers(journal, name),
  });
}

/**
 * Takes over what these agents hold if it is more than what the record says: the record is an old copy, or another meter signed.
 * An agent that does not answer, or does not know the question, is passed over.
 * @returns whether the record was behind
 */
export async function adoptHeld(
  where: Where & { readonly signal: AbortSignal },
  engine: VoucherEngine,
  links: readonly AgentLink[],
  timeoutMs: number,
): Promise<boolean> {
  const { journal, name, signal } = where;
  const { leaseId } = journal.load(name);
  const answers = await Promise.allSettled(links.map((link) => heldVoucher(link, leaseId, signal, timeoutMs)));
  signal.throwIfAborted();
  const held = answers.flatMap((answer): SignedVoucher[] =>
    answer.status === 'fulfilled' && answer.value !== null ? [answer.value] : [],
  );
  const isBehind = await engine.adopt(held);
  if (isBehind) {
    const text = 'agents hold a larger voucher than this machine remembers; going on from theirs';
    journal.tell(name, { kind: 'warning', text });
  }
  return isBehind;
}
