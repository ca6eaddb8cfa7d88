import type { Clock, Logger } from '@latent/kit';
import type { EscrowDomain } from '@latent/protocol';
import type { LocalAccount } from 'viem';
import type { OperatorRegistry } from '../intake/operator-registry.ts';
import type { BookOptions } from '../options.ts';
import type { LeaseReader } from './chain-leases.ts';
import type { PaidLeases } from './paid-leases.ts';

/** What the parts of a paid relay share. */
export interface RelayContext {
  readonly options: BookOptions;
  /** What is asked for it; see `options.relay`. */
  readonly price: NonNullable<BookOptions['relay']>;
  readonly domain: EscrowDomain;
  /** The relay's key: signs asks and claims, and moves no money. */
  readonly account: LocalAccount;
  readonly leases: PaidLeases;
  readonly chain: LeaseReader;
  readonly registry: OperatorRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}
