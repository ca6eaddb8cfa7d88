import type { ClusterRelay } from '../home/relay-store.ts';

const WRITE_INTERVAL_MS = 1_000;

/** Counts what books relay for a cluster in this process, and writes it down each second. */
export interface RelayCounter {
  readonly onRelayed: (book: string, bytes: number) => void;
  /** Writes down what was counted. */
  write(): void;
  /** The same, for the last time. */
  close(): void;
}

export function createRelayCounter(relay: Pick<ClusterRelay, 'count'>): RelayCounter {
  const counted = new Map<string, number>();
  const write = () => {
    for (const [book, bytes] of counted) {
      counted.delete(book);
      relay.count(book, bytes);
    }
  };
  const timer = setInterval(write, WRITE_INTERVAL_MS);
  timer.unref();
  return {
    onRelayed: (book, bytes) => void counted.set(book, (counted.get(book) ?? 0) + bytes),
    write,
    close: () => {
      clearInterval(timer);
      write();
    },
  };
}
