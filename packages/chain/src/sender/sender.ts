import type { Clock, Logger, Store } from '@latent/kit';
import type { LatentError } from '@latent/protocol';
import type { ContractCall } from '@latent/sdk';
import type { Hex, LocalAccount } from 'viem';
import type { Receipt } from '../endpoints/chain-shapes.ts';
import type { Endpoints } from '../endpoints/endpoints.ts';

export interface SenderOptions {
  readonly endpoints: Endpoints;
  /** Nobody else should send from it meanwhile; if somebody does, it is noticed. */
  readonly account: LocalAccount;
  /** Opened with {@link senderMigrations}. */
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How many blocks have to lie upon a transaction's block until its receipt is believed. Default 3. */
  readonly confirmations?: bigint;
  /** How long a transaction may wait in the pool before its fee is raised. Default 45 s. */
  readonly stuckAfterMs?: number;
  /** How often a fee is raised at most, by an eighth at least each time. Default 12. */
  readonly mostReplacements?: number;
  /** What whoever builds the block gets at most, per gas. Default 2 gwei. */
  readonly mostTipWeiPerGas?: bigint;
  /** How often the chain is looked at while something is under way. Default 1 s. */
  readonly pollMs?: number;
  /** How long the effect may take to show after the receipt is confirmed. Default 30 s. */
  readonly effectPatienceMs?: number;
  /**
   * What filling a nonce may cost that was lost by somebody else and holds up everything behind it. Default 0: it is not
   * filled, but stated.
   */
  readonly mostWeiPerFiller?: bigint;
}

export interface SendOptions {
  /** At most 200 characters. The same key is the same wish: it is never carried out twice. */
  readonly idempotencyKey: string;
  /**
   * The most that may ever be paid for this key, all attempts together: gas limit × fee is never allowed beyond it.
   * What a rollup takes for data beside gas is not in it. When it is sent again a higher one counts from then on; a lower
   * one does not take back what was signed.
   */
  readonly mostWei: bigint;
  /**
   * Reads whether what the call is for has happened, whoever did it. It is asked before anything is sent, and has the last
   * word after: receipts alone are not believed. Should ask the chain by quorum where much hangs on it.
   */
  readonly isDone: () => Promise<boolean>;
  /** Ends the waiting, not the transaction: what was sent may still be mined. Sending again by the same key goes on. */
  readonly signal: AbortSignal;
  /** Gas limit, where the caller knows better than an estimate with a fifth added. */
  readonly gas?: bigint;
  /** The most that may be added to an estimate. Default 20 %. */
  readonly gasMarginPercent?: bigint;
}

/** How a wish has ended well. */
export interface SendOutcome {
  /** `us`: by a transaction of ours; `others`: it was done without one. */
  readonly by: 'us' | 'others';
  /** Of our transaction, so many blocks deep; undefined also where it cannot be had just now. */
  readonly receipt: Receipt | undefined;
  /** All that was paid for this key, in vain too. */
  readonly spentWei: bigint;
}

/** As in the table at the head of `open-sender.ts`. */
export type SendState = 'wanted' | 'signed' | 'mined' | 'confirmed' | 'done' | 'refused' | 'reverted' | 'ineffective';

export interface SentRecord {
  readonly idempotencyKey: string;
  readonly state: SendState;
  readonly call: ContractCall;
  readonly nonce: bigint | undefined;
  /** Every transaction that was signed for it, the newest last. */
  readonly hashes: readonly Hex[];
  readonly mostWei: bigint;
  readonly spentWei: bigint;
  /** Why it ended badly, or cannot go on. */
  readonly problem: string | undefined;
  readonly createdAtMs: number;
}

export interface SenderStatus {
  /** Wishes that have not ended. */
  readonly open: readonly SentRecord[];
  /** What went wrong in the last look at the chain; undefined if nothing. */
  readonly problem: LatentError | undefined;
}

export interface Sender {
  /**
   * Carries out one call and waits until its effect is there for good. Safe to repeat, also after `kill -9`: whatever was
   * signed before is taken up, and nothing is paid twice.
   * @throws LatentError CHAIN_REVERTED when the contract refuses (simulated, or mined: then `details.hash`), CHAIN_NO_EFFECT,
   * FEES_TOO_HIGH when it cannot be had for `mostWei`, FUNDS_TOO_LOW, CANCELLED, CHAIN_DISAGREES, CHAIN_UNREACHABLE when the chain cannot be asked
   * before anything is signed, INTERNAL when the key was used for another call
   */
  send(call: ContractCall, options: SendOptions): Promise<SendOutcome>;
  /**
   * Tends all that is under way until the signal aborts, so that transactions of an earlier life are sent again, raised,
   * and seen through, whether or not somebody waits for them.
   */
  tend(signal: AbortSignal): Promise<void>;
  find(idempotencyKey: string): SentRecord | undefined;
  status(): SenderStatus;
}
