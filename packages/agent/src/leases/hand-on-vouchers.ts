import { toLatentError } from '@latent/protocol';
import type { AgentContext } from '../agent-context.ts';
import { handPaper, type Paper } from './hand-paper.ts';
import type { MemberRecord } from './member-record.ts';

/** How often is looked whether there is something to hand on. */
const LOOK_INTERVAL_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** How long the agent's end may take for the last papers. */
const LAST_WORD_MS = 3_000;

type HandsOn = Pick<AgentContext, 'options' | 'members' | 'clock' | 'logger' | 'signal'>;

/** What one watchtower has of one lease, as far as it has said so. */
interface Handed {
  /** Of the paper that it has of each kind, the signature. */
  readonly has: Map<Paper['kind'], string>;
  /** When a voucher was handed to it last; in vain too. */
  lastMs: number;
  /** Not before. */
  retryAtMs: number;
  failures: number;
}

/**
 * Hands each open lease's newest voucher to the watchtowers, each at most every `handOnSeconds`, and at once when it is the
 * last one: when the member has stopped, and when the agent ends. The claim too, for keepers. One that does not answer is tried
 * again until it has the newest, or the money is settled. What it has is not kept on disk: a second time does no harm.
 */
export async function handOnVouchers(context: HandsOn): Promise<void> {
  const { clock, options, signal } = context;
  const urls = options.watchtowers;
  await Promise.all(
    urls.map(async (url) => {
      const handed = new Map<string, Handed>();
      while (!signal.aborted) {
        await handOnce(context, url, handed, signal);
        await clock.sleep(LOOK_INTERVAL_MS, { signal }).catch(() => undefined);
      }
      const lastWord = AbortSignal.timeout(LAST_WORD_MS);
      await Promise.all(papersFor(context, handed, 'all').map((due) => handOne(context, url, due, lastWord)));
    }),
  );
}

interface DuePaper {
  readonly record: MemberRecord;
  readonly paper: Paper;
  readonly state: Handed;
}

async function handOnce(
  context: HandsOn,
  url: string,
  handed: Map<string, Handed>,
  signal: AbortSignal,
): Promise<void> {
  for (const due of papersFor(context, handed, 'due')) {
    if (signal.aborted) return;
    await handOne(context, url, due, signal);
  }
}

/** Also forgets leases that are not open any more. */
function papersFor({ members, clock, options }: HandsOn, handed: Map<string, Handed>, which: 'due' | 'all') {
  const nowMs = clock.nowMs();
  const open = members.open();
  const known = new Set<string>(open.map(({ leaseId }) => leaseId));
  for (const leaseId of handed.keys()) if (!known.has(leaseId)) handed.delete(leaseId);
  return open.flatMap((record): readonly DuePaper[] => {
    const state = handed.get(record.leaseId) ?? newState();
    handed.set(record.leaseId, state);
    const isLast = record.state === 'stopped' || record.state === 'closed';
    const isTime = isLast || nowMs >= state.lastMs + options.handOnSeconds * 1_000;
    const isDue = which === 'all' || (isTime && nowMs >= state.retryAtMs);
    return isDue ? papersOf(record).flatMap((paper) => (isNew(state, paper) ? [{ record, paper, state }] : [])) : [];
  });
}

function newState(): Handed {
  return { has: new Map(), lastMs: Number.NEGATIVE_INFINITY, retryAtMs: 0, failures: 0 };
}

function papersOf({ voucher, claim }: MemberRecord): readonly Paper[] {
  return [
    ...(voucher === null ? [] : [{ kind: 'vouchers' as const, content: voucher }]),
    ...(claim === null ? [] : [{ kind: 'closes' as const, content: claim }]),
  ];
}

function isNew({ has }: Handed, { kind, content }: Paper): boolean {
  return has.get(kind) !== content.signature;
}

async function handOne(
  { clock, logger }: HandsOn,
  url: string,
  { record, paper, state }: DuePaper,
  signal: AbortSignal,
): Promise<void> {
  const { leaseId } = record;
  if (paper.kind === 'vouchers') state.lastMs = clock.nowMs();
  try {
    await handPaper(url, paper, signal);
    state.has.set(paper.kind, paper.content.signature);
    state.failures = 0;
  } catch (thrown) {
    const { code, message } = toLatentError(thrown);
    // Watchtowers take no claims; keepers do.
    if (code === 'METHOD_UNKNOWN' && paper.kind === 'closes') {
      state.has.set(paper.kind, paper.content.signature);
      return;
    }
    state.failures += 1;
    state.retryAtMs = clock.nowMs() + Math.min(LOOK_INTERVAL_MS * 2 ** Math.min(state.failures, 10), LONGEST_PAUSE_MS);
    logger.warn({ leaseId, watchtower: new URL(url).origin, code, error: message }, 'a watchtower has not taken it');
  }
}
