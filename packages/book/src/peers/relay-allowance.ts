import type { Clock, Logger, Store } from '@latent/kit';
import type { PeerKey } from '@latent/protocol';
import type { BookOptions } from '../options.ts';
import type { Caller } from '../sockets/caller.ts';
import { openUsageRows } from './usage-rows.ts';

/** Bytes relayed that are not on the disk yet, over all accounts: what `kill -9` can make a book forget. */
export const MAX_UNSAVED_BYTES = 32 * 1024 * 1024;
const DAY_MS = 86_400_000;

/** What is relayed for one link without payment: what its key and its place have left today. */
export interface RelayAllowance {
  /** Bytes. */
  left(): number;
  /** Counts bytes that are to be relayed; false, and nothing is counted, where so much is not left. */
  take(bytes: number): boolean;
  /** The link has ended. */
  release(): void;
}

export interface RelayAllowances {
  open(key: PeerKey, caller: Caller): RelayAllowance;
  /** Bytes relayed today, for everybody. */
  relayedToday(): number;
  /** Counts bytes that somebody pays for. */
  countPaid(bytes: number): void;
  /** Writes down what was used. One that fails is logged, and tried again with the next. */
  save(): void;
}

export interface AllowanceDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Limits = Pick<BookOptions, 'relayFreeBytesPerKey' | 'relayFreeBytesPerAddress'>;

/** What was used on `day`. Only accounts of open links, and what is to be saved, are in memory. */
interface Account {
  readonly kind: 'key' | 'place' | 'book';
  readonly name: string;
  readonly limit: number;
  day: number;
  usedBytes: number;
  users: number;
}

/** Counts what is relayed, per UTC day. Used up stays used up: it is written down at each `save`, and every 32 MiB. */
export function openRelayAllowances(limits: Limits, { store, clock, logger }: AllowanceDependencies): RelayAllowances {
  const rows = openUsageRows(store);
  const accounts = new Map<string, Account>();
  const unsaved = new Set<Account>();
  let unsavedBytes = 0;
  const book = openAccount('book', '', Number.POSITIVE_INFINITY);

  const today = () => Math.floor(clock.nowMs() / DAY_MS);

  function openAccount(kind: Account['kind'], name: string, limit: number): Account {
    const id = `${kind} ${name}`;
    const day = Math.floor(clock.nowMs() / DAY_MS);
    const known = accounts.get(id) ?? { kind, name, limit, day, usedBytes: rows.find({ kind, name, day }), users: 0 };
    accounts.set(id, known);
    known.users += 1;
    return known;
  }

  function release(account: Account): void {
    account.users -= 1;
    if (account.users === 0 && !unsaved.has(account)) accounts.delete(`${account.kind} ${account.name}`);
  }

  function usedToday(account: Account): number {
    const day = today();
    if (account.day !== day) {
      account.day = day;
      account.usedBytes = 0;
    }
    return account.usedBytes;
  }

  function save(): void {
    if (unsaved.size === 0) return;
    unsavedBytes = 0;
    try {
      rows.write([...unsaved], today());
    } catch (thrown) {
      logger.error({ error: thrown }, 'what was relayed could not be written down');
      return;
    }
    for (const account of unsaved) {
      if (account.users === 0) accounts.delete(`${account.kind} ${account.name}`);
    }
    unsaved.clear();
  }

  return {
    save,
    relayedToday: () => usedToday(book),
    countPaid: (bytes) => {
      usedToday(book);
      book.usedBytes += bytes;
      unsaved.add(book);
    },
    open: (key, { place }) => {
      const own = [
        openAccount('key', key, limits.relayFreeBytesPerKey),
        openAccount('place', place, limits.relayFreeBytesPerAddress),
      ];
      const left = () => Math.max(0, Math.min(...own.map((account) => account.limit - usedToday(account))));
      return {
        left,
        take: (bytes) => {
          if (left() < bytes) return false;
          usedToday(book);
          for (const account of [...own, book]) {
            account.usedBytes += bytes;
            unsaved.add(account);
          }
          unsavedBytes += bytes;
          if (unsavedBytes > MAX_UNSAVED_BYTES) save();
          return true;
        },
        release: () => {
          for (const account of own) release(account);
        },
      };
    },
  };
}
