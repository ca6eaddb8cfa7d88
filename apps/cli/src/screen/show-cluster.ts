import { chargeDown, formatDollars, hourlyFromRateUp } from '@latent/protocol';
import { type ClusterRecord, isOver, type MemberView } from '@latent/sdk';
import type { Progress } from '../launch/progress.ts';
import { shortHex } from './show-order.ts';
import { textTable } from './text-table.ts';

/** What members have delivered so far costs so much, in base units, rounded down as the contract does. */
export function spentSoFar(record: ClusterRecord): bigint {
  return record.terms.members.reduce(
    (sum, member, rank) => sum + chargeDown(record.members[rank]?.deliveredUnits ?? 0n, member.rate),
    0n,
  );
}

/** One line on a cluster. */
export function showHeadline(record: ClusterRecord): string {
  const perHour = record.terms.members.reduce(
    (sum, member) => sum + hourlyFromRateUp(member.rate) * BigInt(member.devices),
    0n,
  );
  const spent = `${formatDollars(spentSoFar(record))} of ${formatDollars(record.terms.order.deposit)}`;
  return `${record.name}: ${record.phase} · ${record.members.length} machines at ${formatDollars(perHour)}/h · spent ${spent} · lease ${shortHex(record.leaseId)}`;
}

/** What is not as usual with the meter of a cluster: paid ahead, or handed over. */
export function showMetering(record: ClusterRecord, nowMs: number): readonly string[] {
  const { handedOverAtMs, offline } = record;
  if (isOver(record)) return [];
  return [
    ...(offline === undefined || offline.untilMs <= nowMs
      ? []
      : [`paid ahead until ${showTime(offline.untilMs)}; ranks that hold the voucher: ${offline.handed.join(', ')}`]),
    ...(handedOverAtMs === undefined
      ? []
      : [`its meter was handed over at ${showTime(handedOverAtMs)}: what is shown is from before`]),
  ];
}

/** In UTC, to the minute. */
export function showTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Every rank's state and progress and what was spent, on one line. */
export function showSummary(record: ClusterRecord, progress: ReadonlyMap<number, Progress>): string {
  const ranks = record.members.map((view, rank) => {
    const own = progress.get(rank);
    const fields = Object.keys(own ?? {}).filter((field) => !isTotal(field, own));
    return [`${rank} ${showState(view)}`, ...fields.map((field) => `${field} ${showField(own, field)}`)].join(' ');
  });
  return `= ${ranks.join(' | ')} | spent ${formatDollars(spentSoFar(record))}`;
}

/** `epochs` beside `epoch` is how many there are in all: it is shown with it. */
function isTotal(field: string, progress: Progress | undefined): boolean {
  return field.endsWith('s') && progress?.[field.slice(0, -1)] !== undefined;
}

/** Every rank: where it runs, what it does, how far it is, what it cost. */
export function showMembers(record: ClusterRecord, progress: ReadonlyMap<number, Progress> = new Map()): string {
  const named = [...progress.values()].flatMap((own) => Object.keys(own).filter((field) => !isTotal(field, own)));
  const fields = [...new Set(named)];
  const rows = record.members.map((view, rank) => {
    const member = record.terms.members[rank];
    const resource = record.asks[rank]?.resource;
    const own = progress.get(rank);
    return [
      String(rank),
      shortHex(member?.operator ?? '0x'),
      resource?.region ?? '',
      view.address,
      showState(view),
      showRoute(view),
      ...(record.isPrivate === true ? [showNetwork(view)] : []),
      ...fields.map((field) => showField(own, field)),
      `${(view.memoryBytes / 2 ** 20).toFixed(0)} MiB`,
      String(view.deliveredUnits),
      formatDollars(chargeDown(view.deliveredUnits, member?.rate ?? 0n)),
    ];
  });
  const network = record.isPrivate === true ? ['network'] : [];
  const head = [
    'rank',
    'operator',
    'region',
    'address',
    'state',
    'way',
    ...network,
    ...fields,
    'memory',
    'seconds',
    'cost',
  ];
  return textTable(head, rows, [...fields, 'memory', 'seconds', 'cost']);
}

function showState(view: MemberView): string {
  if (view.job.kind === 'image') return showFetching(view.job);
  if (view.state === 'running' && view.job.kind === 'exited') return `job ended (${view.job.code})`;
  return view.state;
}

function showFetching(job: { readonly doneBytes: number; readonly totalBytes: number }): string {
  if (job.totalBytes === 0) return 'fetching image';
  const mebibytes = (bytes: number) => Math.ceil(bytes / 1024 / 1024);
  return `fetching image, ${mebibytes(job.doneBytes)} of ${mebibytes(job.totalBytes)} MiB`;
}

/** `direct 12 ms`, or `relayed`: then everything for this rank goes through a book. */
function showRoute({ route }: MemberView): string {
  if (route === undefined) return '';
  return route.roundTripMs === undefined ? route.kind : `${route.kind} ${formatMs(route.roundTripMs)} ms`;
}

/** How it reaches the other ranks: `3 direct 4.1 ms` (the longest round trip), `2 of 3: 1 direct, 1 relayed`, `0 of 3`. */
function showNetwork({ network }: MemberView): string {
  if (network === undefined) return '';
  const { others, direct, relayed, slowestMs } = network;
  const reached = [
    ...(direct > 0 ? [`${direct} direct`] : []),
    ...(relayed > 0 ? [`${relayed} relayed`] : []),
    ...(others === 0 ? ['alone'] : []),
  ].join(', ');
  const missing = direct + relayed < others ? `${direct + relayed} of ${others}${reached === '' ? '' : ': '}` : '';
  return `${missing}${reached}${slowestMs === undefined ? '' : ` ${formatMs(slowestMs)} ms`}`;
}

function formatMs(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : ms.toFixed(0);
}

function showField(progress: Progress | undefined, field: string): string {
  const value = progress?.[field];
  if (value === undefined) return '';
  const total = progress?.[`${field}s`];
  const text = typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(4) : String(value);
  return total === undefined ? text : `${text}/${total}`;
}
