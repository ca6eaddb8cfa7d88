import {
  addressSchema,
  type EscrowDomain,
  LatentError,
  type SignedVoucher,
  signedVoucherSchema,
} from '@latent/protocol';
import { z } from 'zod';

/** More than a voucher of 128 members needs. */
export const MAX_VOUCHER_FILE_BYTES = 64 * 1024;

/** The last voucher of a lease, for whoever checks its bill. No secret: agents have it, and it pays nobody else. */
const voucherFileSchema = z.object({
  kind: z.literal('latent voucher'),
  version: z.literal(1),
  domain: z.object({ chainId: z.int().min(1), escrow: addressSchema }),
  voucher: signedVoucherSchema,
});

export function formatVoucherFile(voucher: SignedVoucher, domain: EscrowDomain): string {
  const { chainId, escrow } = domain;
  const content: z.input<typeof voucherFileSchema> = {
    ...{ kind: 'latent voucher', version: 1, domain: { chainId, escrow }, voucher },
  };
  const text = JSON.stringify(
    content,
    (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
    2,
  );
  return `${text}\n`;
}

/** @throws LatentError CONFIG_INVALID */
export function parseVoucherFile(text: string): { readonly domain: EscrowDomain; readonly voucher: SignedVoucher } {
  const parsed = voucherFileSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new LatentError('CONFIG_INVALID', `This is no voucher: ${z.prettifyError(parsed.error)}`, {
    hint: 'It is made by: latent bill CLUSTER --save-voucher FILE',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema says what is wrong with undefined.
    return undefined;
  }
}
