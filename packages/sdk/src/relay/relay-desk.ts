import {
  LatentError,
  type LeaseId,
  RELAY_UNIT_BYTES,
  type SignedClose,
  signAttach,
  toLatentError,
} from '@latent/protocol';
import type { RelayPayer, RelayWord } from '@latent/transport';
import { privateKeyToAccount } from 'viem/accounts';
import { closeRelayLease } from './close-relay-lease.ts';
import { awaitOpen, openRelayLease } from './open-relay-lease.ts';
import type { PaidTransport, RelayDeskContext } from './relay-desk-context.ts';
import type { RelayLease, RelayNeed } from './relay-lease.ts';
import { signRelayVoucher } from './sign-relay-voucher.ts';

/** Connections begin relayed and become direct a moment later: a lease is for those that stay. So much more has to be relayed… */
const STAYS_BYTES = 4 * 1024 * 1024;
/** … or be refused again after so long, and within so long. */
const STAYS_MS = 700;
const SAME_CUT_MS = 30_000;
const CLAIM_TIMEOUT_MS = 10_000;
/** Before its end, or when so much of it is used up, a lease gets a successor. */
const SUCCESSOR_SECONDS = 60;
const USED_UP_PART = 0.9;
const TICK_MS = 1_000;
/** Different things that are told; some of them are a book's words. */
const MAX_TOLD = 50;
/** So long after a lease with one book none is opened with another. */
const OTHERS_SECONDS = 10;
/** A book that cannot be paid is tried again after so long. */
const RETRY_MS = 30_000;

/** Pays books for what they relay on channels of one peer key, within a budget. Whatever goes wrong is told, never thrown. */
export interface RelayDesk {
  /** For the transport whose channels are paid for; `onRelayed` counts elsewhere. */
  readonly onWord: NonNullable<RelayPayer['onWord']>;
  /** Begins to pay, with leases that an earlier life has left first. */
  start(transport: PaidTransport): void;
  /** Ends all leases: what they cost is paid, the rest comes back. To be called when nothing is relayed any more. */
  end(): Promise<void>;
  /** Pays nothing more, at once; leases that are open are left to the next life of the process. After `end` there is no need to. */
  stop(): void;
}

export function createRelayDesk(context: RelayDeskContext): RelayDesk {
  return new Desk(context);
}

class Desk implements RelayDesk {
  readonly #context: RelayDeskContext;
  readonly #opening = new Map<string, Promise<void>>();
  readonly #retryAtMs = new Map<string, number>();
  readonly #told = new Set<string>();
  /** Books of which little is left that is free, and what was counted of them then. */
  readonly #lowSince = new Map<string, number>();
  readonly #cutAtMs = new Map<string, number>();
  /** Leases whose turn to be paid waits, and what their book said last. */
  readonly #due = new Map<LeaseId, Extract<RelayWord, { kind: 'relayed' }> | undefined>();
  readonly #claims = new Map<LeaseId, (claim: SignedClose | undefined) => void>();
  #transport: PaidTransport | undefined;
  /** Vouchers are signed one after the other: two at once could promise the same money. */
  #signing: Promise<unknown> = Promise.resolve();
  readonly #ending = new AbortController();
  /** Words that came before `start`. */
  #early: (() => void)[] = [];

  constructor(context: RelayDeskContext) {
    this.#context = context;
  }

  readonly onWord = (book: string, word: RelayWord): void => {
    if (this.#transport === undefined) {
      this.#early.push(() => this.onWord(book, word));
      return;
    }
    switch (word.kind) {
      case 'linked':
        for (const lease of this.#openLeases(book)) this.#pay(lease.leaseId);
        return;
      case 'allowance':
        this.#note({ book, kind: 'low' });
        return;
      case 'cut':
        this.#note({ book, kind: 'cut' });
        return;
      case 'relayed':
        this.#pay(word.leaseId, word);
        return;
      case 'unpaid':
        this.#claims.get(word.leaseId)?.(undefined);
        this.#tellOnce(`${book} does not take payment: ${printable(`${word.code}: ${word.message}`)}`);
        return;
      case 'claimed':
        this.#claims.get(word.claim.leaseId)?.(word.claim);
        return;
      default:
        word satisfies never;
    }
  };

  start(transport: PaidTransport): void {
    const { journal } = this.#context;
    this.#transport = transport;
    for (const lease of journal.leases()) {
      if (lease.phase === 'opening') this.#need(lease.book);
      if (lease.phase === 'open') this.#pay(lease.leaseId);
    }
    for (const late of this.#early.splice(0)) late();
    void this.#tick();
  }

  stop(): void {
    this.#ending.abort();
  }

  async end(): Promise<void> {
    this.stop();
    await Promise.all(this.#opening.values());
    await this.#signing;
    for (const lease of this.#openLeases()) await this.#close(lease);
  }

  get #isEnding(): boolean {
    return this.#ending.signal.aborted;
  }

  #openLeases(book?: string): readonly RelayLease[] {
    const { journal } = this.#context;
    return journal.leases().filter((lease) => lease.phase === 'open' && (book === undefined || lease.book === book));
  }

  #note({ book, kind }: RelayNeed): void {
    if (kind === 'low') {
      if (!this.#lowSince.has(book)) this.#lowSince.set(book, this.#context.journal.counted(book));
      return;
    }
    const nowMs = this.#context.clock.nowMs();
    const sinceMs = nowMs - (this.#cutAtMs.get(book) ?? Number.NEGATIVE_INFINITY);
    if (sinceMs > SAME_CUT_MS) this.#cutAtMs.set(book, nowMs);
    else if (sinceMs >= STAYS_MS) this.#need(book);
  }

  /** The book will soon relay for payment only. */
  #need(book: string): void {
    const { clock, signal } = this.#context;
    const isTooSoon = clock.nowMs() < (this.#retryAtMs.get(book) ?? 0);
    if (this.#isEnding || isTooSoon || signal.aborted || this.#opening.has(book)) return;
    const nowSeconds = Math.floor(clock.nowMs() / 1_000);
    if (this.#openLeases(book).some((lease) => !isNearEnd(lease, nowSeconds))) return;
    // Most machines are reached through several books: one that is paid will do, unless this one goes on to be needed.
    if (this.#opening.size > 0 || this.#openLeases().some(({ openedAt }) => nowSeconds < openedAt + OTHERS_SECONDS))
      return;
    const work = this.#open(book)
      .catch((thrown: unknown) => {
        if (signal.aborted) return;
        const { message, hint } = toLatentError(thrown);
        this.#retryAtMs.set(book, clock.nowMs() + RETRY_MS);
        this.#tellOnce(hint === undefined ? message : `${message} ${hint}`);
      })
      .finally(() => this.#opening.delete(book));
    this.#opening.set(book, work);
  }

  async #open(book: string): Promise<void> {
    const { journal } = this.#context;
    const left = journal.leases().find((lease) => lease.phase === 'opening' && lease.book === book);
    const lease = left === undefined ? await openRelayLease(this.#context, book) : await awaitOpen(this.#context, left);
    if (lease.phase === 'open') this.#pay(lease.leaseId);
  }

  /**
   * Signs what is due, and shows the book the lease with its newest voucher. One turn of a lease waits at most, however much a book says.
   */
  #pay(leaseId: LeaseId, said?: Extract<RelayWord, { kind: 'relayed' }>): void {
    const { signal } = this.#context;
    const isWaiting = this.#due.has(leaseId);
    this.#due.set(leaseId, said);
    if (isWaiting) return;
    this.#signing = this.#signing
      .then(async () => {
        const last = this.#due.get(leaseId);
        this.#due.delete(leaseId);
        await this.#payOne(leaseId, last);
      })
      .catch((thrown: unknown) => {
        if (!signal.aborted) this.#tellOnce(`a relay voucher was not signed: ${toLatentError(thrown).message}`);
      });
  }

  async #payOne(leaseId: LeaseId, said: Extract<RelayWord, { kind: 'relayed' }> | undefined): Promise<void> {
    const { journal } = this.#context;
    const known = journal.leases().find((lease) => lease.leaseId === leaseId);
    if (known?.phase !== 'open' || this.#isEnding) return;
    const lease = said === undefined ? known : { ...known, usedBytes: Math.max(known.usedBytes, said.usedBytes) };
    if (lease.usedBytes > known.usedBytes) journal.save(lease);
    const signed = await signRelayVoucher(this.#context, lease);
    const units = signed.voucher?.units[0] ?? 0n;
    if (said === undefined || units > said.coveredUnits) await this.#present(signed);
  }

  async #present({ book, leaseId, meterSecret, terms, voucher }: RelayLease): Promise<void> {
    const transport = this.#transport;
    if (transport === undefined || voucher === null) return;
    const { domain } = this.#context.chain;
    const signature = await signAttach(privateKeyToAccount(meterSecret), domain, leaseId, transport.key);
    transport.payBook(book, { kind: 'pay', terms, signature, voucher });
  }

  async #tick(): Promise<void> {
    const { clock, journal } = this.#context;
    const signal = AbortSignal.any([this.#context.signal, this.#ending.signal]);
    while (!signal.aborted) {
      const nowSeconds = Math.floor(clock.nowMs() / 1_000);
      for (const need of journal.takeNeeds()) this.#note(need);
      for (const [book, counted] of this.#lowSince) {
        if (journal.counted(book) - counted < STAYS_BYTES) continue;
        this.#lowSince.delete(book);
        this.#need(book);
      }
      for (const lease of this.#openLeases()) {
        if (isNearEnd(lease, nowSeconds) && lease.usedBytes > 0) this.#need(lease.book);
        if (nowSeconds >= endOf(lease)) await this.#close(lease);
      }
      await clock.sleep(TICK_MS, { signal }).catch(() => undefined);
    }
  }

  async #close(lease: RelayLease): Promise<void> {
    const { signal } = this.#context;
    try {
      const claim = await this.#claim(lease);
      const latest = this.#context.journal.leases().find(({ leaseId }) => leaseId === lease.leaseId) ?? lease;
      await closeRelayLease(this.#context, latest, claim);
    } catch (thrown) {
      if (!signal.aborted) this.#tellOnce(`a relay lease was not closed: ${toLatentError(thrown).message}`);
    }
  }

  async #claim({ book, leaseId }: RelayLease): Promise<SignedClose | undefined> {
    const answered = Promise.withResolvers<SignedClose | undefined>();
    const timeout = AbortSignal.any([this.#context.signal, AbortSignal.timeout(CLAIM_TIMEOUT_MS)]);
    timeout.addEventListener('abort', () => answered.resolve(undefined), { once: true });
    this.#claims.set(leaseId, answered.resolve);
    try {
      if (this.#transport === undefined) throw new LatentError('INTERNAL', 'The desk was not started.');
      this.#transport.payBook(book, { kind: 'claim', leaseId });
      return await answered.promise;
    } finally {
      this.#claims.delete(leaseId);
    }
  }

  #tellOnce(text: string): void {
    if (this.#told.has(text) || this.#told.size >= MAX_TOLD) return;
    this.#told.add(text);
    this.#context.journal.tell({ kind: 'warning', text });
  }
}

/** A book must not move the cursor, colour or title of the renter's terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '').slice(0, 200);
}

function endOf({ openedAt, terms }: RelayLease): number {
  return openedAt + terms.order.maxSeconds;
}

function isNearEnd(lease: RelayLease, nowSeconds: number): boolean {
  const mostBytes = (lease.terms.members[0]?.devices ?? 0) * lease.terms.order.maxSeconds * RELAY_UNIT_BYTES;
  return nowSeconds >= endOf(lease) - SUCCESSOR_SECONDS || lease.usedBytes >= mostBytes * USED_UP_PART;
}
