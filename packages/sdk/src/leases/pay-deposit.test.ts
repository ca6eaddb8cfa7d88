import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { leaseTermsSchema } from '@latent/protocol';
import { concat, domainSeparator, encodeAbiParameters, hashStruct, hashTypedData, keccak256, toHex } from 'viem';
import { describe, expect, it } from 'vitest';
import { permit2TypedData } from './pay-deposit.ts';

const address = (digit: string) => `0x${digit.repeat(40)}` as const;
const contract = readFileSync(join(import.meta.dirname, '../../../../contracts/src/escrow/WaysToOpen.sol'), 'utf8');

describe('a Permit2 signature', () => {
  it('is over the type that the escrow hands to Permit2, with the whole order in it', () => {
    const terms = leaseTermsSchema.parse({
      order: {
        ...{ renter: address('1'), session: address('0'), meterKey: address('3'), deposit: 5_000_000n, maxSeconds: 60 },
        ...{ closeWindow: 900, prepay: 10, maxFeeBps: 50, openBy: 1_800_000_000, workload: `0x${'7'.repeat(64)}` },
        salt: 9n,
      },
      members: [{ ask: `0x${'a'.repeat(64)}`, operator: address('4'), agentKey: address('5'), devices: 2, rate: 6n }],
    });
    const witnessType = /"(Order witness\)[^"]+)"/.exec(contract)?.[1] ?? '';
    const typeString = `PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,${witnessType}`;
    const data = permit2TypedData({ chainId: 31337, escrow: address('e') }, address('f'), address('d'), 77n, terms);
    const { types, domain } = data;
    const witness = hashStruct({ types, primaryType: 'Order', data: { ...terms.order, members: terms.members } });
    const permitted = hashStruct({
      types,
      primaryType: 'TokenPermissions',
      data: { token: address('d'), amount: terms.order.deposit },
    });
    const words = ['bytes32', 'bytes32', 'address', 'uint256', 'uint256', 'bytes32'].map((type) => ({ type }));
    const structHash = keccak256(
      encodeAbiParameters(words, [keccak256(toHex(typeString)), permitted, address('e'), 77n, 1_800_000_000n, witness]),
    );
    const separator = domainSeparator({ domain });
    expect(hashTypedData(data)).toBe(keccak256(concat(['0x1901', separator, structHash])));
  });
});
