import { formatDollars, type WatchDeed, type WatchStatus } from '@latent/protocol';
import { formatEther } from 'viem';
import { textTable } from './text-table.ts';
import { visibleText } from './visible-text.ts';

/** How a keeper or watchtower does, for people. */
export function showWatch(status: WatchStatus, url: string): string {
  const { kind, account, head, chainSeconds, leases, vouchers, claims, problems, deeds } = status;
  const whom = status.for === 'all' ? 'everybody' : status.for.join(', ');
  const chain =
    head === null || chainSeconds === null
      ? 'no block seen yet'
      : `block ${head}, ${new Date(chainSeconds * 1_000).toISOString()}`;
  const lines = [
    `${kind} at ${url}, for ${whom}`,
    `chain    ${status.chainId}, escrow ${status.escrow}: ${chain}`,
    `account  ${account}, ${formatEther(status.spentWeiToday)} ether spent or set aside in 24 h`,
    `papers   of ${leases} leases: ${vouchers} vouchers, ${claims} claims`,
    ...problems.map((problem) => `problem  ${visibleText(problem)}`),
  ];
  if (deeds.length === 0) return [...lines, 'It has had nothing to do yet.'].join('\n');
  const columns = ['what', 'leases', 'state', 'worth', 'ether', 'transaction or problem'];
  return `${lines.join('\n')}\n${textTable(columns, deeds.map(deedRow))}`;
}

function deedRow({ deed, leases, state, worth, spentWei, hash, problem }: WatchDeed): readonly string[] {
  const tail = problem === null ? (hash ?? '') : visibleText(problem.slice(0, 80));
  return [deed, String(leases.length), state, `$${formatDollars(worth)}`, formatEther(spentWei), tail];
}
