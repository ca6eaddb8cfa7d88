import { toLatentError } from '@latent/protocol';
import { expect, test } from 'vitest';
import { createKeyPair } from './key-pair.ts';

test('the public key is the one that RFC 8032 gives for the seed', () => {
  const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
  const expected = '0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
  expect(createKeyPair(new Uint8Array(seed)).key).toBe(expected);
});

test.each([0, 31, 33, 64])('a seed of %i bytes is refused', (length) => {
  try {
    createKeyPair(new Uint8Array(length));
    expect.unreachable('it was taken');
  } catch (thrown) {
    expect(toLatentError(thrown).code).toBe('CONFIG_INVALID');
  }
});
