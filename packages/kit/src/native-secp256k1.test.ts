import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { loadNativeSecp256k1 } from './native-secp256k1.ts';

const native = loadNativeSecp256k1(randomBytes);
const why = `nothing for ${process.platform}-${process.arch}`;

describe.skipIf(native === undefined)(`native secp256k1${native === undefined ? ` (skipped: ${why})` : ''}`, () => {
  test('recovers from its signature the key that signed, the same each time', () => {
    const [digest, secret] = [randomBytes(32), randomBytes(32)];
    const signature = native?.sign(digest, secret);
    expect(signature).toHaveLength(65);
    expect(native?.sign(digest, secret)).toEqual(signature);
    const key = native?.recover(digest, signature ?? new Uint8Array());
    expect(key).toHaveLength(64);
    const other = randomBytes(32);
    expect(native?.recover(other, native.sign(other, secret))).toEqual(key);
  });

  test('does not blind itself with less than 32 random bytes', () => {
    expect(() => loadNativeSecp256k1(() => new Uint8Array(16))).toThrow(RangeError);
  });
});
