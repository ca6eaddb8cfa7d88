import type { SignedVoucher } from '@latent/protocol';

/** Where the last voucher of one lease is kept. */
export interface VoucherStore {
  /** Undefined before the first. */
  load(): SignedVoucher | undefined;
  /**
   * On the disk when it returns; only then may a voucher leave the process. Compares and writes in one step.
   * @param origin signed here just now, or found with an agent
   * @throws LatentError VOUCHER_DECREASED if it does not cover the one that is stored; CLUSTER_HANDED_OVER if it was signed here
   * though another meter signs for the lease now. Nothing is written then.
   */
  save(voucher: SignedVoucher, origin: 'signed' | 'held'): void;
}
