import {
  type Change,
  changeSchema,
  type EscrowDomain,
  hashOrder,
  type LeaseCall,
  type LeaseId,
  type LeaseTerms,
  leaseEscrowAbi,
  leaseTermsSchema,
  type SignedClaim,
  type SignedVoucher,
} from '@latent/protocol';
import {
  type ContractFunctionArgs,
  compactSignatureToSignature,
  decodeFunctionData,
  type Hex,
  serializeSignature,
} from 'viem';

type Args<Name extends 'checkpoint' | 'close' | 'leave' | 'change' | 'changeWithAuthorization'> = ContractFunctionArgs<
  typeof leaseEscrowAbi,
  'nonpayable',
  Name
>;
type Row = Args<'checkpoint'>[0][number];

/**
 * What a transaction presented to the escrow for one lease, by its input.
 * @returns undefined where the input is no call of the escrow's, so that nothing can be said
 */
export function decodeCalls(domain: EscrowDomain, leaseId: LeaseId, input: Hex): readonly LeaseCall[] | undefined {
  let call: ReturnType<typeof decodeFunctionData<typeof leaseEscrowAbi>>;
  try {
    call = decodeFunctionData({ abi: leaseEscrowAbi, data: input });
  } catch {
    // Some other function, or none: nobody has to call the escrow by its own ABI.
    return undefined;
  }
  const isOurs = (row: Row) => leaseOf(domain, row) === leaseId;
  const { functionName, args } = call;
  switch (functionName) {
    case 'open':
    case 'openWithAuthorization':
    case 'openWithPermit':
    case 'openWithPermit2':
      return [{ verb: 'open', from: 'renter' }];
    case 'openFromBalance':
    case 'openFromSet':
      return [{ verb: 'open', from: 'balance' }];
    case 'checkpoint':
    case 'finalize':
      return args[0].filter(isOurs).map((row) => ({ verb: functionName, voucher: voucherOf(leaseId, row) }));
    case 'close':
      return args[0].filter(({ settlement }) => isOurs(settlement)).map((row) => closing(leaseId, row));
    case 'leave':
      return args[0].filter(({ settlement }) => isOurs(settlement)).map((row) => leaving(leaseId, row));
    case 'change':
      return isOurs(args[0]) ? [changing('balance', args[1])] : [];
    case 'changeWithAuthorization':
      return isOurs(args[0]) ? [changing('renter', args[1])] : [];
    case 'stop':
    case 'stopFor':
      return [{ verb: 'stop' }];
    default:
      return undefined;
  }
}

/** The lease that a row is about; undefined if it can be none. */
function leaseOf(domain: EscrowDomain, { order, members, roster }: Row): LeaseId | undefined {
  const opened = roster[0]?.opened ?? members.length;
  const terms = leaseTermsSchema.safeParse({ order, members: members.slice(0, opened) } satisfies Loosely<LeaseTerms>);
  return terms.success ? hashOrder(domain, terms.data) : undefined;
}

/** Field names are held to the type; what is in them is for the schema to say. */
type Loosely<Type> = Record<keyof Type, unknown>;

function voucherOf(leaseId: LeaseId, { voucher }: Row): SignedVoucher | undefined {
  const { units, accrueFrom, r, vs } = voucher;
  if (units.length === 0) return undefined;
  return { leaseId, units: [...units], accrueFrom: [...accrueFrom], signature: wholeSignature(r, vs) };
}

function closing(leaseId: LeaseId, { settlement, claimed, r, vs }: Args<'close'>[0][number]): LeaseCall {
  const claims = claimed.map((units, index): SignedClaim => {
    return { units, signature: wholeSignature(r[index] ?? '0x', vs[index] ?? '0x') };
  });
  return { verb: 'close', voucher: voucherOf(leaseId, settlement), claims };
}

function leaving(leaseId: LeaseId, { settlement, member, claimed, r, vs }: Args<'leave'>[0][number]): LeaseCall {
  const claim = { units: claimed, signature: wholeSignature(r, vs) };
  return { verb: 'leave', voucher: voucherOf(leaseId, settlement), member, claim };
}

function changing(from: 'renter' | 'balance', change: Change | Args<'change'>[1]): LeaseCall {
  return { verb: 'change', from, change: changeSchema.parse(change) };
}

/** What is no signature becomes one that nobody made. */
function wholeSignature(r: Hex, yParityAndS: Hex): Hex {
  try {
    return serializeSignature(compactSignatureToSignature({ r, yParityAndS }));
  } catch {
    return `0x${'0'.repeat(130)}`;
  }
}
