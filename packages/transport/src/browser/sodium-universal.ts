import { LatentError } from '@latent/protocol';
import { expectLength, expectWithin } from './expect-length.ts';
import { callSodium } from './wasm-sodium.ts';

/*
 * What stands in the place of `sodium-universal` 5 in a browser: the functions and sizes of it that `@hyperswarm/secret-stream` 6.9
 * and the packages below it name, under their names there, with the same parameters and the same bytes (the test beside it
 * holds it to `sodium-native`). Bytes that are to be written come first. Arrays may overlap.
 *
 * Each throws LatentError: INTERNAL for an array of a wrong length, STREAM_CLOSED for what the peer must have sent wrong.
 * Without `sodium_free`: nothing here is memory of its own kind, and `hypercore-crypto` does without.
 */

export const crypto_generichash_BYTES_MIN = 16;
export const crypto_generichash_BYTES_MAX = 64;
export const crypto_generichash_KEYBYTES_MIN = 16;
export const crypto_generichash_KEYBYTES_MAX = 64;
export const crypto_hash_sha512_BYTES = 64;
export const crypto_sign_BYTES = 64;
export const crypto_sign_PUBLICKEYBYTES = 32;
export const crypto_sign_SECRETKEYBYTES = 64;
export const crypto_sign_SEEDBYTES = 32;
export const crypto_scalarmult_ed25519_BYTES = 32;
export const crypto_scalarmult_BYTES = 32;
export const crypto_scalarmult_SCALARBYTES = 32;
export const crypto_kx_SEEDBYTES = 32;
export const crypto_aead_chacha20poly1305_ietf_KEYBYTES = 32;
export const crypto_aead_chacha20poly1305_ietf_NPUBBYTES = 12;
export const crypto_aead_chacha20poly1305_ietf_ABYTES = 16;
export const crypto_secretstream_xchacha20poly1305_STATEBYTES = 52;
export const crypto_secretstream_xchacha20poly1305_KEYBYTES = 32;
export const crypto_secretstream_xchacha20poly1305_HEADERBYTES = 24;
export const crypto_secretstream_xchacha20poly1305_ABYTES = 17;
export const crypto_secretstream_xchacha20poly1305_TAG_MESSAGE = 0;
export const crypto_secretstream_xchacha20poly1305_TAG_FINAL = 3;
export const crypto_secretbox_KEYBYTES = 32;
export const crypto_secretbox_NONCEBYTES = 24;
export const crypto_secretbox_MACBYTES = 16;
export const crypto_box_PUBLICKEYBYTES = 32;
export const crypto_box_SECRETKEYBYTES = 32;
export const crypto_box_SEEDBYTES = 32;
export const crypto_box_SEALBYTES = 48;

const EMPTY = new Uint8Array();
const GENERICHASH_STATE_BYTES = 384;
/** Most that a browser gives at once. */
const MAX_RANDOM_BYTES = 65_536;

export function sodium_memzero(bytes: Uint8Array): void {
  bytes.fill(0);
}

/** Adds one to a number of any length, little end first; after the highest comes zero. */
export function sodium_increment(number: Uint8Array): void {
  for (let at = 0; at < number.byteLength; at += 1) {
    const next = ((number[at] ?? 0) + 1) & 0xff;
    number[at] = next;
    if (next !== 0) return;
  }
}

export function randombytes_buf(bytes: Uint8Array): void {
  const { buffer, byteOffset, byteLength } = bytes;
  if (!(buffer instanceof ArrayBuffer)) throw new LatentError('INTERNAL', 'Randomness is not for shared memory.');
  for (let at = 0; at < byteLength; at += MAX_RANDOM_BYTES) {
    crypto.getRandomValues(new Uint8Array(buffer, byteOffset + at, Math.min(MAX_RANDOM_BYTES, byteLength - at)));
  }
}

/** BLAKE2b. @param output 16 to 64 bytes @param key 16 to 64 bytes */
export function crypto_generichash(output: Uint8Array, input: Uint8Array, key?: Uint8Array | null): void {
  expectWithin('output', output, crypto_generichash_BYTES_MIN, crypto_generichash_BYTES_MAX);
  if (key) expectWithin('key', key, crypto_generichash_KEYBYTES_MIN, crypto_generichash_KEYBYTES_MAX);
  crypto_generichash_batch(output, [input], key);
}

/** {@link crypto_generichash} of one input after the other. */
export function crypto_generichash_batch(
  output: Uint8Array,
  inputs: readonly Uint8Array[],
  key?: Uint8Array | null,
): void {
  const isGood = callSodium((sodium, memory) => {
    const state = memory.scratch(GENERICHASH_STATE_BYTES);
    const keyAt = memory.input(key ?? EMPTY);
    const begun = sodium._crypto_generichash_init(state, keyAt, key?.byteLength ?? 0, output.byteLength);
    if (begun !== 0) return begun;
    for (const input of inputs) {
      sodium._crypto_generichash_update(state, ...memory.sized(input));
    }
    return sodium._crypto_generichash_final(state, memory.output(output), output.byteLength);
  });
  if (!isGood) throw new LatentError('INTERNAL', `No hash of ${output.byteLength} bytes can be made with this key.`);
}

export function crypto_hash_sha512(output: Uint8Array, input: Uint8Array): void {
  expectLength('output', output, crypto_hash_sha512_BYTES);
  mustWork((sodium, memory) => sodium._crypto_hash_sha512(memory.output(output), ...memory.sized(input)));
}

/** A fresh Ed25519 pair. */
export function crypto_sign_keypair(publicKey: Uint8Array, secretKey: Uint8Array): void {
  expectLength('publicKey', publicKey, crypto_sign_PUBLICKEYBYTES);
  expectLength('secretKey', secretKey, crypto_sign_SECRETKEYBYTES);
  mustWork((sodium, memory) => sodium._crypto_sign_keypair(memory.output(publicKey), memory.output(secretKey)));
}

export function crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void {
  expectLength('publicKey', publicKey, crypto_sign_PUBLICKEYBYTES);
  expectLength('secretKey', secretKey, crypto_sign_SECRETKEYBYTES);
  expectLength('seed', seed, crypto_sign_SEEDBYTES);
  mustWork((sodium, memory) =>
    sodium._crypto_sign_seed_keypair(memory.output(publicKey), memory.output(secretKey), memory.input(seed)),
  );
}

export function crypto_sign_ed25519_sk_to_pk(publicKey: Uint8Array, secretKey: Uint8Array): void {
  expectLength('publicKey', publicKey, crypto_sign_PUBLICKEYBYTES);
  expectLength('secretKey', secretKey, crypto_sign_SECRETKEYBYTES);
  mustWork((sodium, memory) => sodium._crypto_sign_ed25519_sk_to_pk(memory.output(publicKey), memory.input(secretKey)));
}

export function crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void {
  expectLength('signature', signature, crypto_sign_BYTES);
  expectLength('secretKey', secretKey, crypto_sign_SECRETKEYBYTES);
  mustWork((sodium, memory) =>
    sodium._crypto_sign_detached(memory.output(signature), 0, ...memory.sized(message), memory.input(secretKey)),
  );
}

/** @returns whether the holder of the key signed this message */
export function crypto_sign_verify_detached(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  expectLength('signature', signature, crypto_sign_BYTES);
  expectLength('publicKey', publicKey, crypto_sign_PUBLICKEYBYTES);
  return callSodium((sodium, memory) =>
    sodium._crypto_sign_verify_detached(memory.input(signature), ...memory.sized(message), memory.input(publicKey)),
  );
}

/** @param point a peer's Ed25519 key; refused when it is none, or of small order */
export function crypto_scalarmult_ed25519_noclamp(output: Uint8Array, scalar: Uint8Array, point: Uint8Array): void {
  expectLength('output', output, crypto_scalarmult_ed25519_BYTES);
  expectLength('scalar', scalar, crypto_scalarmult_ed25519_BYTES);
  expectLength('point', point, crypto_scalarmult_ed25519_BYTES);
  mustBeKey((sodium, memory) =>
    sodium._crypto_scalarmult_ed25519_noclamp(memory.output(output), memory.input(scalar), memory.input(point)),
  );
}

/** X25519. @param point a peer's key; refused when it is of small order */
export function crypto_scalarmult(output: Uint8Array, scalar: Uint8Array, point: Uint8Array): void {
  expectLength('output', output, crypto_scalarmult_BYTES);
  expectLength('scalar', scalar, crypto_scalarmult_SCALARBYTES);
  expectLength('point', point, crypto_scalarmult_BYTES);
  mustBeKey((sodium, memory) =>
    sodium._crypto_scalarmult(memory.output(output), memory.input(scalar), memory.input(point)),
  );
}

export function crypto_scalarmult_base(output: Uint8Array, scalar: Uint8Array): void {
  expectLength('output', output, crypto_scalarmult_BYTES);
  expectLength('scalar', scalar, crypto_scalarmult_SCALARBYTES);
  mustWork((sodium, memory) => sodium._crypto_scalarmult_base(memory.output(output), memory.input(scalar)));
}

/** A fresh X25519 pair. */
export function crypto_kx_keypair(publicKey: Uint8Array, secretKey: Uint8Array): void {
  expectPair(publicKey, secretKey);
  mustWork((sodium, memory) => sodium._crypto_kx_keypair(memory.output(publicKey), memory.output(secretKey)));
}

export function crypto_kx_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void {
  expectPair(publicKey, secretKey);
  expectLength('seed', seed, crypto_kx_SEEDBYTES);
  mustWork((sodium, memory) =>
    sodium._crypto_kx_seed_keypair(memory.output(publicKey), memory.output(secretKey), memory.input(seed)),
  );
}

/** ChaCha20-Poly1305 (RFC 8439). @param secretNonce always null @returns bytes written */
export function crypto_aead_chacha20poly1305_ietf_encrypt(
  ciphertext: Uint8Array,
  message: Uint8Array,
  additional: Uint8Array | null,
  _secretNonce: null,
  nonce: Uint8Array,
  key: Uint8Array,
): number {
  expectLength('ciphertext', ciphertext, message.byteLength + crypto_aead_chacha20poly1305_ietf_ABYTES);
  expectLength('nonce', nonce, crypto_aead_chacha20poly1305_ietf_NPUBBYTES);
  expectLength('key', key, crypto_aead_chacha20poly1305_ietf_KEYBYTES);
  mustWork((sodium, memory) => {
    const [c, n, k] = [memory.output(ciphertext), memory.input(nonce), memory.input(key)];
    const encrypt = sodium._crypto_aead_chacha20poly1305_ietf_encrypt;
    return encrypt(c, 0, ...memory.sized(message), ...memory.sized(additional ?? EMPTY), 0, n, k);
  });
  return ciphertext.byteLength;
}

/** @throws LatentError STREAM_CLOSED when nobody with this key encrypted it @returns bytes written */
export function crypto_aead_chacha20poly1305_ietf_decrypt(
  message: Uint8Array,
  _secretNonce: null,
  ciphertext: Uint8Array,
  additional: Uint8Array | null,
  nonce: Uint8Array,
  key: Uint8Array,
): number {
  expectLength('ciphertext', ciphertext, message.byteLength + crypto_aead_chacha20poly1305_ietf_ABYTES);
  expectLength('nonce', nonce, crypto_aead_chacha20poly1305_ietf_NPUBBYTES);
  expectLength('key', key, crypto_aead_chacha20poly1305_ietf_KEYBYTES);
  const isGood = callSodium((sodium, memory) => {
    const [m, n, k] = [memory.output(message), memory.input(nonce), memory.input(key)];
    const decrypt = sodium._crypto_aead_chacha20poly1305_ietf_decrypt;
    return decrypt(m, 0, 0, ...memory.sized(ciphertext), ...memory.sized(additional ?? EMPTY), n, k);
  });
  if (!isGood) throw new LatentError('STREAM_CLOSED', 'Bytes came that the peer did not encrypt so.');
  return message.byteLength;
}

export function crypto_secretstream_xchacha20poly1305_keygen(key: Uint8Array): void {
  expectLength('key', key, crypto_secretstream_xchacha20poly1305_KEYBYTES);
  randombytes_buf(key);
}

/** Begins a stream. @param state written, as all there is of it: it needs no freeing @param header written; random */
export function crypto_secretstream_xchacha20poly1305_init_push(
  state: Uint8Array,
  header: Uint8Array,
  key: Uint8Array,
): void {
  expectStream(state, header, key);
  mustWork((sodium, memory) =>
    sodium._crypto_secretstream_xchacha20poly1305_init_push(
      memory.output(state),
      memory.output(header),
      memory.input(key),
    ),
  );
}

export function crypto_secretstream_xchacha20poly1305_init_pull(
  state: Uint8Array,
  header: Uint8Array,
  key: Uint8Array,
): void {
  expectStream(state, header, key);
  mustWork((sodium, memory) =>
    sodium._crypto_secretstream_xchacha20poly1305_init_pull(
      memory.output(state),
      memory.input(header),
      memory.input(key),
    ),
  );
}

/** Encrypts the next message of a stream. @returns bytes written to `ciphertext` */
export function crypto_secretstream_xchacha20poly1305_push(
  state: Uint8Array,
  ciphertext: Uint8Array,
  message: Uint8Array,
  additional: Uint8Array | null,
  tag: number,
): number {
  expectLength('state', state, crypto_secretstream_xchacha20poly1305_STATEBYTES);
  expectLength('ciphertext', ciphertext, message.byteLength + crypto_secretstream_xchacha20poly1305_ABYTES);
  mustWork((sodium, memory) => {
    const [s, c] = [memory.inPlace(state), memory.output(ciphertext)];
    const push = sodium._crypto_secretstream_xchacha20poly1305_push;
    return push(s, c, 0, ...memory.sized(message), ...memory.sized(additional ?? EMPTY), tag);
  });
  return ciphertext.byteLength;
}

/**
 * Decrypts the next message of a stream.
 * @throws LatentError STREAM_CLOSED when it is not that, byte for byte @returns bytes written to `message`
 */
export function crypto_secretstream_xchacha20poly1305_pull(
  state: Uint8Array,
  message: Uint8Array,
  tag: Uint8Array,
  ciphertext: Uint8Array,
  additional: Uint8Array | null,
): number {
  expectLength('state', state, crypto_secretstream_xchacha20poly1305_STATEBYTES);
  expectLength('tag', tag, 1);
  expectLength('ciphertext', ciphertext, message.byteLength + crypto_secretstream_xchacha20poly1305_ABYTES);
  const isGood = callSodium((sodium, memory) => {
    const [s, m, t] = [memory.inPlace(state), memory.output(message), memory.output(tag)];
    const pull = sodium._crypto_secretstream_xchacha20poly1305_pull;
    return pull(s, m, 0, t, ...memory.sized(ciphertext), ...memory.sized(additional ?? EMPTY));
  });
  if (!isGood) throw new LatentError('STREAM_CLOSED', 'Bytes came that are not the next message of the peer.');
  return message.byteLength;
}

export function crypto_secretbox_easy(
  ciphertext: Uint8Array,
  message: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
): void {
  expectBox(ciphertext, message, nonce, key);
  mustWork((sodium, memory) => {
    const [c, n, k] = [memory.output(ciphertext), memory.input(nonce), memory.input(key)];
    return sodium._crypto_secretbox_easy(c, ...memory.sized(message), n, k);
  });
}

/** @returns whether somebody with this key encrypted it; `message` is left alone if not */
export function crypto_secretbox_open_easy(
  message: Uint8Array,
  ciphertext: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
): boolean {
  expectBox(ciphertext, message, nonce, key);
  return callSodium((sodium, memory) => {
    const [m, n, k] = [memory.output(message), memory.input(nonce), memory.input(key)];
    return sodium._crypto_secretbox_open_easy(m, ...memory.sized(ciphertext), n, k);
  });
}

/** A fresh X25519 pair. */
export function crypto_box_keypair(publicKey: Uint8Array, secretKey: Uint8Array): void {
  expectPair(publicKey, secretKey);
  mustWork((sodium, memory) => sodium._crypto_box_keypair(memory.output(publicKey), memory.output(secretKey)));
}

export function crypto_box_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void {
  expectPair(publicKey, secretKey);
  expectLength('seed', seed, crypto_box_SEEDBYTES);
  mustWork((sodium, memory) =>
    sodium._crypto_box_seed_keypair(memory.output(publicKey), memory.output(secretKey), memory.input(seed)),
  );
}

/** Encrypts to a key, anonymously. */
export function crypto_box_seal(ciphertext: Uint8Array, message: Uint8Array, publicKey: Uint8Array): void {
  expectLength('ciphertext', ciphertext, message.byteLength + crypto_box_SEALBYTES);
  expectLength('publicKey', publicKey, crypto_box_PUBLICKEYBYTES);
  mustBeKey((sodium, memory) =>
    sodium._crypto_box_seal(memory.output(ciphertext), ...memory.sized(message), memory.input(publicKey)),
  );
}

/** @returns whether it was encrypted to this pair; `message` is left alone if not */
export function crypto_box_seal_open(
  message: Uint8Array,
  ciphertext: Uint8Array,
  publicKey: Uint8Array,
  secretKey: Uint8Array,
): boolean {
  expectLength('ciphertext', ciphertext, message.byteLength + crypto_box_SEALBYTES);
  expectPair(publicKey, secretKey);
  return callSodium((sodium, memory) => {
    const [m, pk, sk] = [memory.output(message), memory.input(publicKey), memory.input(secretKey)];
    return sodium._crypto_box_seal_open(m, ...memory.sized(ciphertext), pk, sk);
  });
}

/** A call that cannot fail once the lengths are right. */
function mustWork(work: Parameters<typeof callSodium>[0]): void {
  if (!callSodium(work)) throw new LatentError('INTERNAL', 'libsodium failed at what cannot fail.');
}

/** A call that fails only when the key of somebody else is none, or of small order. */
function mustBeKey(work: Parameters<typeof callSodium>[0]): void {
  if (!callSodium(work)) throw new LatentError('STREAM_CLOSED', 'A key of somebody else is none.');
}

/** Of X25519; sizes are the same for all uses. */
function expectPair(publicKey: Uint8Array, secretKey: Uint8Array): void {
  expectLength('publicKey', publicKey, crypto_box_PUBLICKEYBYTES);
  expectLength('secretKey', secretKey, crypto_box_SECRETKEYBYTES);
}

function expectStream(state: Uint8Array, header: Uint8Array, key: Uint8Array): void {
  expectLength('state', state, crypto_secretstream_xchacha20poly1305_STATEBYTES);
  expectLength('header', header, crypto_secretstream_xchacha20poly1305_HEADERBYTES);
  expectLength('key', key, crypto_secretstream_xchacha20poly1305_KEYBYTES);
}

function expectBox(ciphertext: Uint8Array, message: Uint8Array, nonce: Uint8Array, key: Uint8Array): void {
  expectLength('ciphertext', ciphertext, message.byteLength + crypto_secretbox_MACBYTES);
  expectLength('nonce', nonce, crypto_secretbox_NONCEBYTES);
  expectLength('key', key, crypto_secretbox_KEYBYTES);
}
