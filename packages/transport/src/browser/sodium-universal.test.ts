import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import native from 'sodium-native';
import { beforeAll, describe, expect, it } from 'vitest';
import * as wasm from './sodium-universal.ts';
import { loadSodium } from './wasm-sodium.ts';

type Sodium = typeof wasm;

/** One call, with arrays that are drawn for it. */
interface Draw {
  /** Bytes of which the function says how many. */
  readonly fixed: (length: number) => Uint8Array;
  /** Bytes of which there may be any number. */
  readonly free: (length: number) => Uint8Array;
  /** Length of a message. */
  readonly size: number;
}
type Call = (sodium: Sodium, draw: Draw) => unknown;

/** Every function that gives the same whenever it is called with the same. Arrays are drawn in the order of the parameters. */
const calls: Readonly<Record<string, Call>> = {
  sodium_memzero: (sodium, { free, size }) => sodium.sodium_memzero(free(size)),
  sodium_increment: (sodium, { free, size }) => sodium.sodium_increment(free(size)),
  crypto_generichash: (sodium, { free, size }) => sodium.crypto_generichash(free(64), free(size)),
  'crypto_generichash with a key': (sodium, { free, size }) =>
    sodium.crypto_generichash(free(16), free(size), free(64)),
  crypto_generichash_batch: (sodium, { free, size }) =>
    sodium.crypto_generichash_batch(free(32), [free(size), free(0), free(7)]),
  'crypto_generichash_batch with a key': (sodium, { free, size }) =>
    sodium.crypto_generichash_batch(free(64), [free(size), free(128), free(1), free(2)], free(32)),
  'crypto_generichash_batch of its own output': (sodium, { free, size }) => {
    const output = free(64);
    sodium.crypto_generichash_batch(output, [free(size), output]);
  },
  crypto_hash_sha512: (sodium, { fixed, free, size }) => sodium.crypto_hash_sha512(fixed(64), free(size)),
  crypto_sign_seed_keypair: (sodium, { fixed }) => sodium.crypto_sign_seed_keypair(fixed(32), fixed(64), fixed(32)),
  crypto_sign_ed25519_sk_to_pk: (sodium, { fixed }) => sodium.crypto_sign_ed25519_sk_to_pk(fixed(32), fixed(64)),
  crypto_sign_detached: (sodium, { fixed, free, size }) =>
    sodium.crypto_sign_detached(fixed(64), free(size), fixed(64)),
  crypto_sign_verify_detached: (sodium, { fixed, free, size }) =>
    sodium.crypto_sign_verify_detached(fixed(64), free(size), fixed(32)),
  crypto_scalarmult_ed25519_noclamp: (sodium, { fixed }) =>
    sodium.crypto_scalarmult_ed25519_noclamp(fixed(32), fixed(32), fixed(32)),
  crypto_scalarmult: (sodium, { fixed }) => sodium.crypto_scalarmult(fixed(32), fixed(32), fixed(32)),
  crypto_scalarmult_base: (sodium, { fixed }) => sodium.crypto_scalarmult_base(fixed(32), fixed(32)),
  crypto_kx_seed_keypair: (sodium, { fixed }) => sodium.crypto_kx_seed_keypair(fixed(32), fixed(32), fixed(32)),
  crypto_box_seed_keypair: (sodium, { fixed }) => sodium.crypto_box_seed_keypair(fixed(32), fixed(32), fixed(32)),
  crypto_box_seal_open: (sodium, { fixed, size }) =>
    sodium.crypto_box_seal_open(fixed(size), fixed(size + 48), fixed(32), fixed(32)),
  crypto_aead_chacha20poly1305_ietf_encrypt: (sodium, { fixed, free, size }) =>
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
      ...([fixed(size + 16), fixed(size), free(size), null, fixed(12), fixed(32)] as const),
    ),
  'crypto_aead_chacha20poly1305_ietf_encrypt of a message alone': (sodium, { fixed, size }) =>
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(fixed(size + 16), fixed(size), null, null, fixed(12), fixed(32)),
  crypto_aead_chacha20poly1305_ietf_decrypt: (sodium, { fixed, free, size }) =>
    sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
      ...([fixed(size), null, fixed(size + 16), free(size), fixed(12), fixed(32)] as const),
    ),
  crypto_secretstream_xchacha20poly1305_init_pull: (sodium, { fixed }) =>
    sodium.crypto_secretstream_xchacha20poly1305_init_pull(fixed(52), fixed(24), fixed(32)),
  crypto_secretstream_xchacha20poly1305_push: (sodium, { fixed, free, size }) =>
    sodium.crypto_secretstream_xchacha20poly1305_push(fixed(52), fixed(size + 17), fixed(size), free(size), 0),
  'crypto_secretstream_xchacha20poly1305_push of the last message': (sodium, { fixed, size }) =>
    sodium.crypto_secretstream_xchacha20poly1305_push(fixed(52), fixed(size + 17), fixed(size), null, 3),
  'crypto_secretstream_xchacha20poly1305_push in place': (sodium, { fixed, size }) => {
    const ciphertext = fixed(size + 17);
    const message = ciphertext.subarray(1, 1 + size);
    return sodium.crypto_secretstream_xchacha20poly1305_push(fixed(52), ciphertext, message, null, 0);
  },
  crypto_secretstream_xchacha20poly1305_pull: (sodium, { fixed, free, size }) =>
    sodium.crypto_secretstream_xchacha20poly1305_pull(fixed(52), fixed(size), fixed(1), fixed(size + 17), free(size)),
  crypto_secretbox_easy: (sodium, { fixed, size }) =>
    sodium.crypto_secretbox_easy(fixed(size + 16), fixed(size), fixed(24), fixed(32)),
  'crypto_secretbox_easy over its own nonce': (sodium, { fixed, size }) => {
    const envelope = fixed(8 + 16 + size);
    sodium.crypto_secretbox_easy(envelope.subarray(8), fixed(size), envelope.subarray(0, 24), fixed(32));
  },
  crypto_secretbox_open_easy: (sodium, { fixed, size }) =>
    sodium.crypto_secretbox_open_easy(fixed(size), fixed(size + 16), fixed(24), fixed(32)),
};

/** Functions that draw randomness, or that need what another one gave: each has tests of its own below. */
const others = [
  'randombytes_buf',
  'crypto_sign_keypair',
  'crypto_kx_keypair',
  'crypto_box_keypair',
  'crypto_box_seal',
  'crypto_secretstream_xchacha20poly1305_keygen',
  'crypto_secretstream_xchacha20poly1305_init_push',
];

/** What a call came to: what it returned or that it threw, and all bytes that it was given, as they are afterwards. */
function outcomeOf(call: () => unknown, arrays: readonly Uint8Array[]) {
  try {
    const returned = call();
    return { returned, bytes: arrays.map((array) => Buffer.from(array).toString('hex')) };
  } catch {
    return { threw: true };
  }
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const message = fc.uint8Array({ maxLength: 3_000 });
const position = fc.nat();

/** A copy with one bit turned. */
function altered(original: Uint8Array, at: number): Uint8Array {
  const copy = original.slice();
  const index = at % copy.byteLength;
  copy[index] = (copy[index] ?? 0) ^ (1 << (at % 8));
  return copy;
}

/** What a package of CommonJS modules takes from `sodium-universal`: `sodium.name`, and names in braces. */
function namesOfSodiumIn(packageName: string): readonly string[] {
  const root = dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.js') && !/(^|\/)(test|tests|node_modules)(\/|\.js$)/.test(file))
    .flatMap((file) => {
      const source = readFileSync(join(root, file), 'utf8');
      const inBraces = /\{([^{}]*)\} = require\('sodium-universal'\)/.exec(source)?.[1] ?? '';
      return [...source.matchAll(/\bsodium\.(\w+)/g)].map(([, name = '']) => name).concat(inBraces.match(/\w+/g) ?? []);
    });
}

beforeAll(loadSodium);

describe('sodium for browsers', () => {
  it('has all that the packages of encrypted streams name, but what they do without', () => {
    const packages = ['@hyperswarm/secret-stream', 'noise-handshake', 'noise-curve-ed', 'sodium-secretstream'];
    const named = [...packages, 'hypercore-crypto'].flatMap((name) => namesOfSodiumIn(name));
    expect(named.length).toBeGreaterThan(40);
    const missing = new Set(named).difference(new Set(Object.keys(wasm)));
    expect([...missing]).toEqual(['sodium_free']);
  });

  it('has the same sizes as in Node', () => {
    const sizes = Object.entries(wasm).filter(([, value]) => typeof value === 'number');
    expect(sizes.length).toBeGreaterThan(20);
    expect(Object.fromEntries(sizes)).toEqual(
      Object.fromEntries(Object.entries(native).filter(([name]) => Object.hasOwn(wasm, name) && /[A-Z]{3}/.test(name))),
    );
  });

  it('has a test for each of its functions', () => {
    const functions = Object.entries(wasm).filter(([, value]) => typeof value === 'function');
    const tested = [...Object.keys(calls).map((name) => name.split(' ')[0]), ...others];
    expect(new Set(functions.map(([name]) => name))).toEqual(new Set(tested));
  });

  it.each(Object.entries(calls))('gives the same bytes as in Node: %s', (_name, call) => {
    fc.assert(
      fc.property(fc.gen(), fc.nat({ max: 400 }), (draw, size) => {
        const drawn: Uint8Array[] = [];
        const take = (length: number) => {
          const array = draw(bytes, length);
          drawn.push(array.slice());
          return array;
        };
        const arrays: Uint8Array[] = [];
        const note = (array: Uint8Array) => {
          arrays.push(array);
          return array;
        };
        const first = (length: number) => note(take(length));
        const here = outcomeOf(() => call(wasm, { fixed: first, free: first, size }), arrays);
        const copies = drawn.map((array) => array.slice());
        let next = 0;
        const again = () => copies[next++] ?? expect.unreachable('the second call draws more than the first');
        const there = outcomeOf(() => call(native, { fixed: again, free: again, size }), copies);
        expect(here).toEqual(there);
      }),
    );
  });

  it.each(Object.entries(calls))('refuses arrays that are too short or too long: %s', (_name, call) => {
    const lengths: number[] = [];
    const wrong = (index: number, by: number) => {
      let next = 0;
      const fixed = (length: number) => new Uint8Array(next++ === index ? length + by : length);
      return () => call(wasm, { fixed, free: (length) => new Uint8Array(length), size: 20 });
    };
    const count = (length: number) => {
      lengths.push(length);
      return new Uint8Array(length);
    };
    outcomeOf(() => call(wasm, { fixed: count, free: (length) => new Uint8Array(length), size: 20 }), []);
    for (const index of lengths.keys()) {
      for (const by of [-1, 1]) {
        expect(wrong(index, by), `array ${index}, ${by} bytes`).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
      }
    }
  });

  it('makes hashes of 16 to 64 bytes, with keys of as many, as in Node', () => {
    const lengths = [0, 15, 16, 64, 65];
    for (const [hashBytes, keyBytes] of lengths.flatMap((hash) => lengths.map((key) => [hash, key] as const))) {
      const hashes = [wasm, native].map((sodium) => {
        const hash = new Uint8Array(hashBytes);
        return outcomeOf(() => sodium.crypto_generichash(hash, Uint8Array.of(1), new Uint8Array(keyBytes)), [hash]);
      });
      expect(hashes[0], `${hashBytes} bytes, key of ${keyBytes}`).toEqual(hashes[1]);
    }
    expect(() => wasm.crypto_generichash_batch(new Uint8Array(65), [])).toThrow(
      expect.objectContaining({ code: 'INTERNAL' }),
    );
  });

  it('fills any number of bytes with randomness, and no byte beside them', () => {
    const around = new Uint8Array(200_002);
    wasm.randombytes_buf(around.subarray(1, 200_001));
    expect([around[0], around[200_001]]).toEqual([0, 0]);
    // A run of 16 zeros has a chance of 2^-110 here.
    for (let at = 1; at < 200_001 - 16; at += 16)
      expect(around.subarray(at, at + 16).some((byte) => byte !== 0)).toBe(true);
    const key = new Uint8Array(32);
    wasm.crypto_secretstream_xchacha20poly1305_keygen(key);
    expect(key.some((byte) => byte !== 0)).toBe(true);
  });

  it('makes fresh pairs that Node takes', () => {
    const signing = [new Uint8Array(32), new Uint8Array(64)] as const;
    wasm.crypto_sign_keypair(...signing);
    const signature = new Uint8Array(64);
    native.crypto_sign_detached(signature, signature.slice(0, 10), signing[1]);
    expect(wasm.crypto_sign_verify_detached(signature, new Uint8Array(10), signing[0])).toBe(true);
    for (const makePair of [wasm.crypto_kx_keypair, wasm.crypto_box_keypair]) {
      const [publicKey, secretKey, derived] = [new Uint8Array(32), new Uint8Array(32), new Uint8Array(32)];
      makePair(publicKey, secretKey);
      native.crypto_scalarmult_base(derived, secretKey);
      expect(derived).toEqual(publicKey);
      const other = new Uint8Array(32);
      makePair(other, secretKey);
      expect(other).not.toEqual(publicKey);
    }
  });

  it('agrees with Node on what two pairs share, whichever side computes it', () => {
    fc.assert(
      fc.property(bytes(32), bytes(32), (seed, scalar) => {
        const [publicKey, secretKey] = [new Uint8Array(32), new Uint8Array(64)];
        native.crypto_sign_seed_keypair(publicKey, secretKey, seed);
        const [here, there] = [new Uint8Array(32), new Uint8Array(32)];
        const outcomes = [wasm, native].map((sodium, index) =>
          outcomeOf(() => sodium.crypto_scalarmult_ed25519_noclamp(index === 0 ? here : there, scalar, publicKey), []),
        );
        expect(outcomes[0]).toEqual(outcomes[1]);
        expect(here).toEqual(there);
      }),
    );
  });

  it('refuses keys of small order, with which anybody could compute what is shared', () => {
    const output = new Uint8Array(32);
    const point = Uint8Array.of(1, ...new Uint8Array(31));
    const refusal = expect.objectContaining({ code: 'STREAM_CLOSED' });
    expect(() => wasm.crypto_scalarmult_ed25519_noclamp(output, new Uint8Array(32).fill(8), point)).toThrow(refusal);
    expect(() => wasm.crypto_scalarmult(output, new Uint8Array(32).fill(8), new Uint8Array(32))).toThrow(refusal);
    expect(() => wasm.crypto_box_seal(new Uint8Array(58), new Uint8Array(10), new Uint8Array(32))).toThrow(refusal);
  });

  it.each([
    ['Node', native, wasm],
    ['a browser', wasm, native],
  ] as const)('verifies what %s signed, and nothing else', (_who, signer, verifier) => {
    fc.assert(
      fc.property(bytes(32), message, position, (seed, text, at) => {
        const [publicKey, secretKey, signature] = [new Uint8Array(32), new Uint8Array(64), new Uint8Array(64)];
        signer.crypto_sign_seed_keypair(publicKey, secretKey, seed);
        signer.crypto_sign_detached(signature, text, secretKey);
        expect(verifier.crypto_sign_verify_detached(signature, text, publicKey)).toBe(true);
        expect(verifier.crypto_sign_verify_detached(altered(signature, at), text, publicKey)).toBe(false);
        expect(verifier.crypto_sign_verify_detached(signature, Uint8Array.of(...text, 0), publicKey)).toBe(false);
      }),
    );
  });

  it.each([
    ['Node', native, wasm],
    ['a browser', wasm, native],
  ] as const)('opens what %s encrypted, and refuses it altered', (_who, sealer, opener) => {
    fc.assert(
      fc.property(message, fc.uint8Array({ maxLength: 100 }), bytes(12), bytes(24), bytes(32), position, (...drawn) => {
        const [text, additional, nonce, longNonce, key, at] = drawn;
        const plain = new Uint8Array(text.byteLength);

        const aead = new Uint8Array(text.byteLength + 16);
        sealer.crypto_aead_chacha20poly1305_ietf_encrypt(aead, text, additional, null, nonce, key);
        opener.crypto_aead_chacha20poly1305_ietf_decrypt(plain, null, aead, additional, nonce, key);
        expect(plain).toEqual(text);
        const open = (sealed: Uint8Array, ad: Uint8Array) => () =>
          opener.crypto_aead_chacha20poly1305_ietf_decrypt(plain.slice(), null, sealed, ad, nonce, key);
        expect(open(altered(aead, at), additional)).toThrow();
        expect(open(aead, Uint8Array.of(...additional, 0))).toThrow();

        const box = new Uint8Array(text.byteLength + 16);
        sealer.crypto_secretbox_easy(box, text, longNonce, key);
        expect(opener.crypto_secretbox_open_easy(plain.fill(0), box, longNonce, key)).toBe(true);
        expect(plain).toEqual(text);
        expect(opener.crypto_secretbox_open_easy(plain, altered(box, at), longNonce, key)).toBe(false);

        const [publicKey, secretKey] = [new Uint8Array(32), new Uint8Array(32)];
        opener.crypto_box_seed_keypair(publicKey, secretKey, key);
        const sealed = new Uint8Array(text.byteLength + 48);
        sealer.crypto_box_seal(sealed, text, publicKey);
        expect(opener.crypto_box_seal_open(plain.fill(0), sealed, publicKey, secretKey)).toBe(true);
        expect(plain).toEqual(text);
        expect(opener.crypto_box_seal_open(plain, altered(sealed, at), publicKey, secretKey)).toBe(false);
      }),
    );
  });

  it.each([
    ['Node', native, wasm],
    ['a browser', wasm, native],
  ] as const)(
    'follows a stream that %s sends, message by message, and refuses one altered, left out or out of turn',
    (...sides) => {
      const [, sender, receiver] = sides;
      fc.assert(
        fc.property(bytes(32), fc.array(message, { minLength: 2, maxLength: 5 }), position, (key, texts, at) => {
          const [sending, header, receiving] = [new Uint8Array(52), new Uint8Array(24), new Uint8Array(52)];
          sender.crypto_secretstream_xchacha20poly1305_init_push(sending, header, key);
          receiver.crypto_secretstream_xchacha20poly1305_init_pull(receiving, header, key);
          const sealed = texts.map((text, index) => {
            const ciphertext = new Uint8Array(text.byteLength + 17);
            const tag = index === texts.length - 1 ? 3 : 0;
            sender.crypto_secretstream_xchacha20poly1305_push(sending, ciphertext, text, null, tag);
            return ciphertext;
          });
          const tag = new Uint8Array(1);
          const pull = (ciphertext: Uint8Array) => {
            const plain = new Uint8Array(ciphertext.byteLength - 17);
            receiver.crypto_secretstream_xchacha20poly1305_pull(receiving, plain, tag, ciphertext, null);
            return plain;
          };
          expect(() => pull(sealed[1]!)).toThrow();
          for (const [index, ciphertext] of sealed.entries()) {
            expect(() => pull(altered(ciphertext, at))).toThrow();
            expect(pull(ciphertext)).toEqual(texts[index]);
            expect(tag[0]).toBe(index === sealed.length - 1 ? 3 : 0);
            expect(() => pull(ciphertext)).toThrow();
          }
          expect(Buffer.from(sending).toString('hex')).toBe(Buffer.from(receiving).toString('hex'));
        }),
      );
    },
  );

  it('decrypts a stream in place, as the secret stream does', () => {
    const [key, header, state] = [new Uint8Array(32), new Uint8Array(24), new Uint8Array(52)];
    native.crypto_secretstream_xchacha20poly1305_init_push(state, header, key);
    const text = Uint8Array.from({ length: 1_000 }, (_, index) => index % 251);
    const frame = new Uint8Array(text.byteLength + 17);
    native.crypto_secretstream_xchacha20poly1305_push(state, frame, text, null, 0);
    wasm.crypto_secretstream_xchacha20poly1305_init_pull(state, header, key);
    const plain = frame.subarray(1, 1 + text.byteLength);
    wasm.crypto_secretstream_xchacha20poly1305_pull(state, plain, new Uint8Array(1), frame, null);
    expect(plain).toEqual(text);
  });
});
