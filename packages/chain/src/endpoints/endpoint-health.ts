import type { Clock, Logger } from '@latent/kit';
import type { EndpointHealth } from './endpoints.ts';

/** What is remembered of endpoints: who answered, who lags, who is to be left alone for now. */
export interface HealthBoard {
  /**
   * Indexes: first those that do well, then those that lag, then those that fail, by whose turn comes next, and last those
   * that contradict the others: one that fails says nothing wrong.
   */
  order(): readonly number[];
  /** May be asked without a fault of its own standing against it. */
  isUsable(index: number): boolean;
  isVerified(index: number): boolean;
  noteVerified(index: number): void;
  noteWell(index: number): void;
  noteFailure(index: number, problem: string): void;
  noteWrongChain(index: number, problem: string): void;
  /** It was not believed against a majority. Logged once as long as it stands. */
  noteDissent(index: number, dissent: string): void;
  /** Heads that were asked for at the same time; undefined: no answer. */
  noteHeads(heads: readonly (bigint | undefined)[]): void;
  all(): readonly EndpointHealth[];
}

interface Entry extends EndpointHealth {
  /** Serves the right chain, as of its last connection. */
  readonly verified: boolean;
  /** Unix milliseconds until which its last dissent is held against it. */
  readonly dissentsUntilMs: number;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
const WRONG_CHAIN_WAIT_MS = 300_000;
/** Right answers in between do not clear it: most lies are about one thing among many. */
const DISSENT_STANDS_MS = 3_600_000;
const MAX_DISSENT_CHARACTERS = 400;

export function createHealthBoard(
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  names: readonly string[],
  maxLagBlocks: bigint,
): HealthBoard {
  const entries: Entry[] = names.map((name) => ({
    ...{ name, state: 'unknown', failures: 0, retryAtMs: 0, verified: false },
    ...{ problem: undefined, head: undefined, lagBlocks: undefined, dissent: undefined, dissentsUntilMs: 0 },
  }));

  function change(index: number, changed: Partial<Entry>): void {
    const entry = entries[index];
    if (entry !== undefined) entries[index] = { ...entry, ...changed };
  }

  function fail(index: number, state: 'failing' | 'wrong-chain', problem: string): void {
    const entry = entries[index];
    if (entry === undefined) return;
    const failures = entry.failures + 1;
    const waitMs =
      state === 'wrong-chain' ? WRONG_CHAIN_WAIT_MS : Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS);
    change(index, { state, failures, problem, retryAtMs: clock.nowMs() + waitMs, verified: false });
    const log = state === 'wrong-chain' ? logger.error : logger.warn;
    log({ endpoint: entry.name, failures, problem }, 'endpoint failed');
  }

  function isUsable(index: number): boolean {
    const entry = entries[index];
    return entry !== undefined && entry.retryAtMs <= clock.nowMs();
  }

  const dissentOf = ({ dissent, dissentsUntilMs }: Entry) => (dissentsUntilMs > clock.nowMs() ? dissent : undefined);
  const isDissenting = (index: number) => {
    const entry = entries[index];
    return entry !== undefined && dissentOf(entry) !== undefined;
  };

  const isLagging = (index: number) => (entries[index]?.lagBlocks ?? 0n) > maxLagBlocks;

  return {
    isUsable,
    order: () => {
      const rank = (index: number) => (isDissenting(index) ? 3 : isUsable(index) ? Number(isLagging(index)) : 2);
      const retryAt = (index: number) => (isUsable(index) ? 0 : (entries[index]?.retryAtMs ?? 0));
      return entries.map((_, index) => index).sort((a, b) => rank(a) - rank(b) || retryAt(a) - retryAt(b) || a - b);
    },
    isVerified: (index) => entries[index]?.verified === true,
    noteVerified: (index) => change(index, { verified: true }),
    noteWell: (index) => {
      const entry = entries[index];
      if (entry === undefined || entry.state === 'well') return;
      if (entry.failures > 0) logger.info({ endpoint: entry.name }, 'endpoint answers again');
      change(index, { state: 'well', failures: 0, retryAtMs: 0, problem: undefined });
    },
    noteFailure: (index, problem) => fail(index, 'failing', problem),
    noteWrongChain: (index, problem) => fail(index, 'wrong-chain', problem),
    noteDissent: (index, said) => {
      const entry = entries[index];
      if (entry === undefined) return;
      const dissent = said.slice(0, MAX_DISSENT_CHARACTERS);
      if (!isDissenting(index)) {
        logger.error({ endpoint: entry.name, dissent }, 'an endpoint contradicts the majority: it is not believed');
      }
      change(index, { dissent, dissentsUntilMs: clock.nowMs() + DISSENT_STANDS_MS });
    },
    noteHeads: (heads) => {
      const highest = heads.reduce<bigint>((most, head) => (head !== undefined && head > most ? head : most), 0n);
      for (const [index, head] of heads.entries()) {
        const entry = entries[index];
        if (entry === undefined || head === undefined) continue;
        const lagBlocks = highest - head;
        if (lagBlocks > maxLagBlocks && !isLagging(index)) {
          logger.warn({ endpoint: entry.name, head, highest, lagBlocks }, 'endpoint lags');
        }
        change(index, { head, lagBlocks });
      }
    },
    all: () =>
      entries.map((entry) => {
        const { verified: _verified, dissentsUntilMs: _until, ...health } = entry;
        return { ...health, dissent: dissentOf(entry) };
      }),
  };
}
