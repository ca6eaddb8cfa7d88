import { randomBytes } from 'node:crypto';
import { loadNativeSecp256k1, type NativeSecp256k1 } from '@latent/kit';
import { loadKernel } from '@latent/proof';
import { pureSecp256k1, useSigning } from '@latent/protocol';
import fc from 'fast-check';
import { keccak256 } from 'viem';
import { afterEach, describe, expect, it } from 'vitest';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
const word = (value: bigint) => new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'));
const secret = fc.oneof(
  fc.bigInt({ min: 1n, max: ORDER - 1n }).map(word),
  fc.constantFrom(word(1n), word(2n), word(ORDER - 1n)),
);
const digest = fc.oneof(bytes(32), fc.constantFrom(word(0n), word(1n), word(ORDER - 1n)));
/** No hash of a message ever comes out so, but with a chance of 2⁻¹²⁸. */
const beyondOrder = fc.constantFrom(word(ORDER), word(ORDER + 1n), word(2n ** 256n - 1n));

const native = loadNativeSecp256k1(randomBytes);
const why = `secp256k1 has nothing for ${process.platform}-${process.arch}`;

describe.skipIf(native === undefined)(`native secp256k1${native === undefined ? ` (skipped: ${why})` : ''}`, () => {
  const known = (): NativeSecp256k1 => {
    if (native === undefined) throw new Error(why);
    return native;
  };

  it('signs as TypeScript does: the same nonce, the lower s, the same recovery', async () => {
    await fc.assert(
      fc.asyncProperty(digest, secret, async (hash, key) => {
        expect(known().sign(hash, key)).toEqual(await pureSecp256k1.sign(hash, key));
      }),
      { numRuns: 60 },
    );
  });

  it('takes other nonces for digests beyond the order of the curve, and signs for the same key', async () => {
    await fc.assert(
      fc.asyncProperty(beyondOrder, secret, async (hash, key) => {
        const signer = await pureSecp256k1.recover(hash, await pureSecp256k1.sign(hash, key));
        expect(await pureSecp256k1.recover(hash, known().sign(hash, key))).toEqual(signer);
      }),
      { numRuns: 20 },
    );
  });

  it('recovers the same key, or nobody as well, also from what nobody signed', async () => {
    const signature = fc.oneof(
      fc.tuple(digest, secret).map(([hash, key]) => known().sign(hash, key)),
      fc.tuple(bytes(64), fc.constantFrom(0, 26, 27, 28, 29, 255)).map(([rs, v]) => Uint8Array.of(...rs, v)),
      fc.constantFrom(0n, ORDER, ORDER - 1n, 2n ** 256n - 1n).map((n) => Uint8Array.of(...word(n), ...word(1n), 27)),
      fc.constantFrom(0n, ORDER, 2n ** 256n - 1n).map((n) => Uint8Array.of(...word(1n), ...word(n), 28)),
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(digest, beyondOrder), signature, async (hash, signed) => {
        const isKnownForm = signed[64] === 27 || signed[64] === 28;
        const expected = isKnownForm ? await pureSecp256k1.recover(hash, signed) : undefined;
        expect(known().recover(hash, signed)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it.each([0, 31, 33])('reads no bytes but those it was given: %i of them are refused', (size) => {
    const [wrong, right] = [new Uint8Array(size), new Uint8Array(32).fill(1)];
    expect(() => known().sign(wrong, right)).toThrow(RangeError);
    expect(() => known().sign(right, wrong)).toThrow(RangeError);
    expect(() => known().recover(wrong, new Uint8Array(65).fill(27))).toThrow(RangeError);
    expect(() => known().recover(right, wrong)).toThrow(RangeError);
  });

  it.each([0n, ORDER, 2n ** 256n - 1n])('does not sign with %i, which is no private key', (key) => {
    expect(() => known().sign(new Uint8Array(32), word(key))).toThrow(RangeError);
  });
});

describe('what the daemons choose at their start', () => {
  afterEach(() => useSigning({}));

  it('gives the known answers, and is taken', async () => {
    const { hash } = await loadKernel();
    const chosen = await useSigning({ secp256k1: native, keccak256: hash });
    expect(chosen).toEqual({ secp256k1: native !== undefined, keccak256: true });
  });

  it('hashes as TypeScript does', async () => {
    const { hash } = await loadKernel();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9_000 }), (message) => {
        expect(hash(message)).toEqual(keccak256(message, 'bytes'));
      }),
    );
  });
});
