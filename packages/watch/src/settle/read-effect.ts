import type { Endpoint, Endpoints } from '@latent/chain';
import { LatentError, leaseEscrowAbi } from '@latent/protocol';
import { encodeCall } from '@latent/sdk';
import { type Address, decodeFunctionResult } from 'viem';
import { callEscrow } from '../chain/call-escrow.ts';
import type { Deed, ExpectedRow } from './deed-store.ts';

/** As `ILeaseTypes.State`. */
const CLOSED = 2;

/**
 * Whether everything that a deed is for has happened, whoever did it, by as many endpoints as decide about money. True also
 * where something else has changed what it was for: then it is decided on anew, from what is there.
 * @throws LatentError CHAIN_UNREACHABLE, also while only some of the endpoints have seen it
 */
export async function isCarriedOut(
  endpoints: Endpoints,
  escrow: Address,
  { deed, rows }: Pick<Deed, 'deed' | 'rows'>,
): Promise<boolean> {
  const done = await endpoints.agree({
    what: `whether ${rows.length} leases are settled`,
    work: async (endpoint) => {
      for (const row of rows) if (!(await isRowDone(endpoint, escrow, deed, row))) return undefined;
      return 'done';
    },
    inWords: (answer) => answer,
  });
  return done !== undefined;
}

async function isRowDone(endpoint: Endpoint, escrow: Address, deed: Deed['deed'], row: ExpectedRow): Promise<boolean> {
  const lease = await readLease(endpoint, escrow, row.leaseId);
  if (lease.state === CLOSED) return true;
  switch (deed) {
    case 'checkpoint':
      return lease.charged > row.chargedBefore;
    case 'leave':
      return (await readRosterHash(endpoint, escrow, row.leaseId)) !== row.rosterHashBefore;
    case 'close':
    case 'finalize':
      return false;
  }
}

async function readLease(endpoint: Endpoint, escrow: Address, leaseId: ExpectedRow['leaseId']) {
  const read = { abi: leaseEscrowAbi, functionName: 'lease' } as const;
  const data = await callEscrow(endpoint, { to: escrow, data: encodeCall({ ...read, args: [leaseId] }) });
  return decoded(endpoint, () => decodeFunctionResult({ ...read, data }));
}

async function readRosterHash(endpoint: Endpoint, escrow: Address, leaseId: ExpectedRow['leaseId']) {
  const read = { abi: leaseEscrowAbi, functionName: 'rosterHash' } as const;
  const data = await callEscrow(endpoint, { to: escrow, data: encodeCall({ ...read, args: [leaseId] }) });
  return decoded(endpoint, () => decodeFunctionResult({ ...read, data }));
}

/** What does not decode is the endpoint's fault, and nothing that others have to answer for. */
function decoded<Result>({ name }: Endpoint, decode: () => Result): Result {
  try {
    return decode();
  } catch (cause) {
    throw new LatentError('MESSAGE_INVALID', `Endpoint ${name} answers for the escrow with something else.`, { cause });
  }
}
