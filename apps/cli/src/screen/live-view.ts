import { systemClock } from '@latent/kit';
import type { ClusterRecord } from '@latent/sdk';
import { createLogUpdate } from 'log-update';
import type { Progress } from '../launch/progress.ts';
import type { Output } from '../output.ts';
import { showHeadline, showMembers, showSummary } from './show-cluster.ts';

/** What is seen of a running cluster: one updating screen on a terminal, plain lines elsewhere. */
export interface LiveView {
  record(record: ClusterRecord): void;
  event(text: string): void;
  logLine(rank: number, line: string): void;
  progress(rank: number, progress: Progress): void;
  /** Leaves the last picture standing. */
  close(): void;
}

const LOG_LINES = 8;
const EVENT_LINES = 4;

export function openLiveView(output: Output): LiveView {
  return output.isLive ? openScreen() : openPlainLines(output);
}

function openScreen(): LiveView {
  const update = createLogUpdate(process.stdout);
  const progress = new Map<number, Progress>();
  const events: string[] = [];
  const logs: string[] = [];
  let latest: ClusterRecord | undefined;
  const draw = () => {
    if (latest === undefined) return;
    update(
      [
        showHeadline(latest),
        '',
        showMembers(latest, progress),
        '',
        ...events.map((text) => `· ${text}`),
        '',
        ...logs,
      ].join('\n'),
    );
  };
  const keep = (lines: string[], line: string, limit: number) => {
    lines.push(line.slice(0, (process.stdout.columns ?? 120) - 2));
    if (lines.length > limit) lines.shift();
    draw();
  };
  return {
    record: (record) => {
      latest = record;
      draw();
    },
    event: (text) => keep(events, text, EVENT_LINES),
    logLine: (rank, line) => keep(logs, `rank ${rank} | ${line}`, LOG_LINES),
    progress: (rank, own) => {
      progress.set(rank, own);
      draw();
    },
    close: () => {
      draw();
      update.done();
    },
  };
}

const SUMMARY_INTERVAL_MS = 5_000;

/** Plain lines: each event and log line once, and every few seconds how far each rank is and what it has cost. */
function openPlainLines(output: Output): LiveView {
  const progress = new Map<number, Progress>();
  let printedMs = systemClock.nowMs();
  return {
    record: (record) => {
      if (record.phase !== 'running' || systemClock.nowMs() < printedMs + SUMMARY_INTERVAL_MS) return;
      printedMs = systemClock.nowMs();
      output.line(showSummary(record, progress));
    },
    event: (text) => output.line(`· ${text}`),
    logLine: (rank, line) => output.line(`rank ${rank} | ${line}`),
    progress: (rank, own) => void progress.set(rank, own),
    close: () => undefined,
  };
}
