import type { ClusterRecord } from '@latent/sdk';
import { createLogUpdate } from 'log-update';
import type { Progress } from '../launch/progress.ts';
import type { Output } from '../output.ts';
import { showHeadline, showMembers } from './show-cluster.ts';

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

/** Plain lines: each event and log line once, progress of rank 0 only, as it stands for all. */
function openPlainLines(output: Output): LiveView {
  return {
    record: () => undefined,
    event: (text) => output.line(`· ${text}`),
    logLine: (rank, line) => output.line(`rank ${rank} | ${line}`),
    progress: (rank, own) => {
      if (rank === 0)
        output.line(
          `progress | ${Object.entries(own)
            .map(([name, value]) => `${name} ${value}`)
            .join(' · ')}`,
        );
    },
    close: () => undefined,
  };
}
