import { getAddress } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { checkRelayAsk, RELAY_UNIT_BYTES, signedRelayAskSchema, signRelayAsk } from './relay-ask.ts';

const domain = { chainId: 31_337, escrow: getAddress(`0x${'e5'.repeat(20)}`) };
const account = privateKeyToAccount(`0x${'01'.repeat(32)}`);
const other = privateKeyToAccount(`0x${'02'.repeat(32)}`);
const relay = { book: 'https://book.example', unitBytes: RELAY_UNIT_BYTES } as const;
const ask = {
  ...{ operator: other.address, agentKey: account.address, devices: 100, rate: 9_765_625_000n, maxSeconds: 86_400 },
  ...{ closeWindow: 900, prepay: 10, maxFeeBps: 50, validUntil: 2_000, epoch: 0, salt: 1n },
};

describe('the ask of a relay', () => {
  it('is taken as it was signed', async () => {
    const signed = await signRelayAsk(account, domain, ask, relay);
    expect(signedRelayAskSchema.parse(JSON.parse(JSON.stringify(signed, decimals)))).toEqual(signed);
    await expect(checkRelayAsk(domain, signed, 1_999)).resolves.toMatch(/^0x/);
  });

  it('is refused when it is altered, of another key or escrow, or has expired', async () => {
    const signed = await signRelayAsk(account, domain, ask, relay);
    const failing: [string, () => Promise<unknown>][] = [
      ['ASK_EXPIRED', () => checkRelayAsk(domain, signed, 2_000)],
      ['ASK_BAD_SIGNATURE', () => checkRelayAsk(domain, { ...signed, ask: { ...signed.ask, rate: 1n } }, 0)],
      ['ASK_BAD_SIGNATURE', () => checkRelayAsk({ ...domain, chainId: 1 }, signed, 0)],
      ['ASK_RESOURCE_MISMATCH', () => checkRelayAsk(domain, { ...signed, relay: { ...relay, book: 'http://x' } }, 0)],
    ];
    for (const [code, check] of failing) await expect(check()).rejects.toMatchObject({ code });
    const foreign = await signRelayAsk(other, domain, ask, relay);
    await expect(checkRelayAsk(domain, foreign, 0)).rejects.toMatchObject({ code: 'ASK_BAD_SIGNATURE' });
  });

  it('says that a unit is a MiB, and nothing else', () => {
    const wrong = { ask, relay: { ...relay, unitBytes: 1_024 }, signature: `0x${'11'.repeat(65)}` };
    expect(signedRelayAskSchema.safeParse(wrong).success).toBe(false);
  });
});

function decimals(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
