import type { LatentError } from '@latent/protocol';
import type { KeyPair } from '../key-pair.ts';
import { type BookLink, type Introduction, openBookLink } from '../link/book-link.ts';
import type { OpenLinkSocket } from '../link/link-socket.ts';
import type { RelayPayer, RelayPayment } from '../link/relay-payer.ts';
import { after, every } from '../timers.ts';

/** A link that nobody uses is kept so long, as the next call may follow. */
const LINGER_MS = 60_000;
const SWEEP_MS = 10_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;
/** Links of ours to books at a time; the hints of asks name them, so that they are bounded. */
const MAX_LINKS = 64;

export interface BookLinksOptions {
  readonly keyPair: KeyPair;
  readonly openSocket: OpenLinkSocket;
  readonly payer?: RelayPayer | undefined;
  /** A link is there, or is there again. */
  readonly onOpened?: (link: BookLink) => void;
}

/** The links of a transport: those it dials through, made when they are needed, and those it is found by, kept for ever. */
export interface BookLinks {
  /** The link to a book, as it is or newly opened. */
  use(bookUrl: string): BookLink;
  /** Keeps a link by which others are introduced; made anew whenever it ends. @returns lets it go */
  keep(bookUrl: string, on: KeepOptions): () => void;
  /** Says something on payment to a book, over a link that is there or newly opened. */
  pay(bookUrl: string, payment: RelayPayment): void;
  /** A path was lost, or the network changed: links may be dead too, which nobody would say. */
  check(): void;
  close(): void;
}

export interface KeepOptions {
  readonly onIntroduction: (introduction: Introduction) => void;
  /** Hears why a link ended; it is tried again. */
  readonly onEnded: (bookUrl: string, reason: LatentError) => void;
}

export function createBookLinks({ keyPair, openSocket, payer, onOpened }: BookLinksOptions): BookLinks {
  const kept = new Map<string, BookLink>();
  const used = new Map<string, { readonly link: BookLink; lastUsedMs: number }>();
  const letGo = new Set<() => void>();

  const open = (
    bookUrl: string,
    options: { readonly onIntroduction?: KeepOptions['onIntroduction'] },
    onEnded: (reason: LatentError) => void,
  ) => {
    const link = openBookLink({ bookUrl, keyPair, openSocket, payer, onEnded, ...options });
    link.ready.then(
      () => onOpened?.(link),
      () => undefined,
    );
    return link;
  };

  function use(bookUrl: string): BookLink {
    const standing = kept.get(bookUrl);
    if (standing !== undefined) return standing;
    const known = used.get(bookUrl);
    if (known !== undefined) {
      known.lastUsedMs = performance.now();
      return known.link;
    }
    const [oldest] = used;
    if (used.size >= MAX_LINKS && oldest !== undefined) oldest[1].link.close();
    const link = open(bookUrl, {}, () => {
      if (used.get(bookUrl)?.link === link) used.delete(bookUrl);
    });
    used.set(bookUrl, { link, lastUsedMs: performance.now() });
    return link;
  }

  function keep(bookUrl: string, { onIntroduction, onEnded }: KeepOptions): () => void {
    let isWanted = true;
    let waitMs = FIRST_WAIT_MS;
    let stopWaiting = () => {};
    const connect = () => {
      const link = open(bookUrl, { onIntroduction }, (reason) => {
        if (kept.get(bookUrl) === link) kept.delete(bookUrl);
        if (!isWanted) return;
        onEnded(bookUrl, reason);
        stopWaiting = after(waitMs, connect);
        waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
      });
      kept.set(bookUrl, link);
      link.ready.then(
        () => {
          waitMs = FIRST_WAIT_MS;
        },
        () => undefined,
      );
    };
    connect();
    const release = () => {
      isWanted = false;
      letGo.delete(release);
      stopWaiting();
      kept.get(bookUrl)?.close();
    };
    letGo.add(release);
    return release;
  }

  const stopSweep = every(SWEEP_MS, () => {
    const now = performance.now();
    for (const entry of [...used.values()]) {
      if (entry.link.channels > 0) entry.lastUsedMs = now;
      else if (now - entry.lastUsedMs > LINGER_MS) entry.link.close();
    }
  });

  return {
    use,
    keep,
    pay: (bookUrl, payment) => {
      const link = use(bookUrl);
      // Where there is none, who pays hears of the next one.
      link.ready.then(
        () => link.pay(payment),
        () => undefined,
      );
    },
    check: () => {
      for (const link of kept.values()) link.check();
      for (const { link } of used.values()) link.check();
    },
    close: () => {
      stopSweep();
      for (const release of [...letGo]) release();
      for (const { link } of [...used.values()]) link.close();
    },
  };
}
