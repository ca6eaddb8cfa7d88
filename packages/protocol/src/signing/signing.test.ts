import fc from 'fast-check';
import { bytesToHex, type Hex, keccak256, recoverAddress } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterEach, describe, expect, it } from 'vitest';
import { recoverSigner } from '../messages/recover-signer.ts';
import { openDigestSigner } from './digest-signer.ts';
import { pureSecp256k1 } from './pure-secp256k1.ts';
import { currentSigning, pureSigning, useSigning } from './signing.ts';

afterEach(() => useSigning({}));

const secret: Hex = `0x${'11'.repeat(32)}`;
const digest: Hex = `0x${'ab'.repeat(32)}`;

describe('useSigning', () => {
  it('is what viem does until something else is chosen', () => {
    expect(currentSigning()).toEqual(pureSigning);
  });

  it('takes what gives the known answers', async () => {
    const secp256k1 = { ...pureSecp256k1 };
    const hash = (bytes: Uint8Array) => keccak256(bytes, 'bytes');
    expect(await useSigning({ secp256k1, keccak256: hash })).toEqual({ secp256k1: true, keccak256: true });
    expect(currentSigning()).toEqual({ secp256k1, keccak256: hash });
  });

  it.each([
    ['signs otherwise', { ...pureSecp256k1, sign: () => new Uint8Array(65) }],
    ['recovers nobody', { ...pureSecp256k1, recover: () => undefined }],
    ['recovers somebody else', { ...pureSecp256k1, recover: () => new Uint8Array(64) }],
    [
      'throws',
      {
        ...pureSecp256k1,
        sign: () => {
          throw new Error('no');
        },
      },
    ],
  ])('does not take one that %s', async (_, secp256k1) => {
    expect(await useSigning({ secp256k1 })).toEqual({ secp256k1: false, keccak256: false });
    expect(currentSigning().secp256k1).toBe(pureSecp256k1);
  });

  it('does not take a hash that is not keccak-256', async () => {
    const chosen = await useSigning({ keccak256: () => new Uint8Array(32) });
    expect(chosen.keccak256).toBe(false);
    expect(currentSigning().keccak256).toBe(pureSigning.keccak256);
  });
});

describe('a digest signer', () => {
  it('signs as viem does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 32, maxLength: 32 }), async (bytes) => {
        const hash = bytesToHex(bytes);
        expect(await openDigestSigner(secret).sign({ hash })).toBe(await privateKeyToAccount(secret).sign({ hash }));
      }),
      { numRuns: 20 },
    );
  });

  it('has the address that its signatures recover to', async () => {
    const signer = openDigestSigner(secret);
    const signature = await signer.sign({ hash: digest });
    expect(await recoverSigner(digest, signature)).toBe(signer.address);
    expect(await recoverAddress({ hash: digest, signature })).toBe(signer.address);
  });
});
