import type { Address } from 'viem';
import type { WorksFor } from '../lease/lease-worth.ts';

export function createWorksFor(accounts: 'all' | readonly Address[]): WorksFor {
  if (accounts === 'all') return () => true;
  const known = new Set(accounts);
  return (account) => known.has(account);
}
