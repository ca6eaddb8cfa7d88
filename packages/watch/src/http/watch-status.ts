import type { WatchStatus } from '@latent/protocol';
import { leasesOf } from '../settle/deed-store.ts';
import type { WatchContext } from '../watch-context.ts';

const SHOWN_DEEDS = 20;
const SHOWN_PROBLEMS = 16;
const DAY_MS = 86_400_000;

/** What a keeper or watchtower says of itself. Whoever asks may know it: all of it is on the chain, or will be. */
export function watchStatus(context: WatchContext): WatchStatus {
  const { kind, domain, account, options, papers, deeds, endpoints, follower, sender, clock } = context;
  const head = follower.head();
  const problems = [follower.status().problem, sender.status().problem];
  const dissents = endpoints
    .health()
    .flatMap(({ name, dissent }) => (dissent === undefined ? [] : [{ name, dissent }]));
  return {
    ...{ kind, chainId: domain.chainId, escrow: domain.escrow, account: account.address },
    for: options.for === 'all' ? 'all' : [...options.for],
    chainSeconds: head?.timestamp ?? null,
    head: head?.number ?? null,
    ...papers.counts(),
    spentWeiToday: deeds.spentSince(clock.nowMs() - DAY_MS),
    problems: [
      ...problems.flatMap((problem) => (problem === undefined ? [] : [`${problem.code}: ${problem.message}`])),
      ...dissents.map(({ name, dissent }) => `CHAIN_DISAGREES: Endpoint ${name} is not believed. ${dissent}`),
    ]
      .slice(0, SHOWN_PROBLEMS)
      .map((problem) => problem.slice(0, 500)),
    deeds: deeds.recent(SHOWN_DEEDS).map((deed) => {
      const { id, startedAtMs, state, worth, mostWei, spentWei, hash, problem } = deed;
      return {
        ...{ id, deed: deed.deed, leases: [...leasesOf(deed)], startedAtMs, state, worth, mostWei, spentWei, hash },
        problem: problem === null ? null : problem.slice(0, 500),
      };
    }),
  };
}
