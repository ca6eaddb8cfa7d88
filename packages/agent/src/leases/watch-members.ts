import type { LeaseDesk } from './lease-desk.ts';
import { stopReason } from './metering.ts';
import { stopMember } from './stop-member.ts';

/** How often running members are looked at; also the longest that an unpaid second can be delivered. */
const WATCH_INTERVAL_MS = 500;
/** An agent that looks again only after so long was asleep, with its machine or in a debugger, and heard nothing meanwhile. */
const ASLEEP_MS = 3_000;
/** How often it is noted that a member still runs. */
const NOTE_INTERVAL_MS = 5_000;

/** Ends members whose vouchers or lease ran out, until the agent ends. */
export async function watchMembers(desk: LeaseDesk): Promise<void> {
  const { context } = desk;
  let awakeSinceMs = context.clock.nowMs();
  let lastLookMs = awakeSinceMs;
  while (!context.signal.aborted) {
    if (context.clock.nowMs() > lastLookMs + ASLEEP_MS) awakeSinceMs = context.clock.nowMs();
    for (const record of context.members.open()) {
      if (record.state !== 'running') continue;
      const nowMs = context.clock.nowMs();
      const reason = stopReason(record, nowMs, awakeSinceMs);
      if (reason !== undefined) await stopMember(desk, record.leaseId, reason);
      else if (nowMs - record.lastSeenMs >= NOTE_INTERVAL_MS) await noteSeen(desk, record.leaseId, nowMs);
    }
    lastLookMs = context.clock.nowMs();
    await context.clock.sleep(WATCH_INTERVAL_MS, { signal: context.signal }).catch(() => undefined);
  }
}

async function noteSeen(desk: LeaseDesk, leaseId: Parameters<typeof stopMember>[1], nowMs: number): Promise<void> {
  await desk.lock.run(leaseId, async () => {
    const record = desk.context.members.find(leaseId);
    if (record?.state === 'running') desk.context.members.save({ ...record, lastSeenMs: nowMs });
  });
}
