/**
 * The part of `libsodium-sumo` 0.8 that is used here; the package ships no types.
 *
 * Every number but a status is an address in the memory of the WASM module, or a length in bytes. A length of 64 bits takes
 * two parameters, low half first. A status is 0 when all went well.
 */
declare module 'libsodium-sumo' {
  export interface LibSodium {
    /** The whole memory. Another array after each allocation that made the memory grow. */
    readonly HEAPU8: Uint8Array<ArrayBuffer>;
    /** 0: there is no memory left. */
    _malloc(length: number): number;
    _free(address: number): void;
    _sodium_init(): number;

    _crypto_generichash(
      output: number,
      outputLength: number,
      input: number,
      inputLength: number,
      inputLengthHigh: number,
      key: number,
      keyLength: number,
    ): number;
    _crypto_generichash_init(state: number, key: number, keyLength: number, outputLength: number): number;
    _crypto_generichash_update(state: number, input: number, inputLength: number, inputLengthHigh: number): number;
    _crypto_generichash_final(state: number, output: number, outputLength: number): number;
    _crypto_hash_sha512(output: number, input: number, inputLength: number, inputLengthHigh: number): number;

    _crypto_sign_keypair(publicKey: number, secretKey: number): number;
    _crypto_sign_seed_keypair(publicKey: number, secretKey: number, seed: number): number;
    _crypto_sign_ed25519_sk_to_pk(publicKey: number, secretKey: number): number;
    _crypto_sign_detached(
      signature: number,
      signatureLengthAt: number,
      message: number,
      messageLength: number,
      messageLengthHigh: number,
      secretKey: number,
    ): number;
    _crypto_sign_verify_detached(
      signature: number,
      message: number,
      messageLength: number,
      messageLengthHigh: number,
      publicKey: number,
    ): number;
    _crypto_scalarmult_ed25519_noclamp(output: number, scalar: number, point: number): number;
    _crypto_scalarmult(output: number, scalar: number, point: number): number;
    _crypto_scalarmult_base(output: number, scalar: number): number;
    _crypto_kx_keypair(publicKey: number, secretKey: number): number;
    _crypto_kx_seed_keypair(publicKey: number, secretKey: number, seed: number): number;

    _crypto_aead_chacha20poly1305_ietf_encrypt(
      ciphertext: number,
      ciphertextLengthAt: number,
      message: number,
      messageLength: number,
      messageLengthHigh: number,
      additional: number,
      additionalLength: number,
      additionalLengthHigh: number,
      secretNonce: number,
      nonce: number,
      key: number,
    ): number;
    _crypto_aead_chacha20poly1305_ietf_decrypt(
      message: number,
      messageLengthAt: number,
      secretNonce: number,
      ciphertext: number,
      ciphertextLength: number,
      ciphertextLengthHigh: number,
      additional: number,
      additionalLength: number,
      additionalLengthHigh: number,
      nonce: number,
      key: number,
    ): number;

    _crypto_secretstream_xchacha20poly1305_init_push(state: number, header: number, key: number): number;
    _crypto_secretstream_xchacha20poly1305_init_pull(state: number, header: number, key: number): number;
    _crypto_secretstream_xchacha20poly1305_push(
      state: number,
      ciphertext: number,
      ciphertextLengthAt: number,
      message: number,
      messageLength: number,
      messageLengthHigh: number,
      additional: number,
      additionalLength: number,
      additionalLengthHigh: number,
      tag: number,
    ): number;
    _crypto_secretstream_xchacha20poly1305_pull(
      state: number,
      message: number,
      messageLengthAt: number,
      tagAt: number,
      ciphertext: number,
      ciphertextLength: number,
      ciphertextLengthHigh: number,
      additional: number,
      additionalLength: number,
      additionalLengthHigh: number,
    ): number;

    _crypto_secretbox_easy(
      ciphertext: number,
      message: number,
      messageLength: number,
      messageLengthHigh: number,
      nonce: number,
      key: number,
    ): number;
    _crypto_secretbox_open_easy(
      message: number,
      ciphertext: number,
      ciphertextLength: number,
      ciphertextLengthHigh: number,
      nonce: number,
      key: number,
    ): number;

    _crypto_box_keypair(publicKey: number, secretKey: number): number;
    _crypto_box_seed_keypair(publicKey: number, secretKey: number, seed: number): number;
    _crypto_box_seal(
      ciphertext: number,
      message: number,
      messageLength: number,
      messageLengthHigh: number,
      publicKey: number,
    ): number;
    _crypto_box_seal_open(
      message: number,
      ciphertext: number,
      ciphertextLength: number,
      ciphertextLengthHigh: number,
      publicKey: number,
      secretKey: number,
    ): number;
  }

  interface LibSodiumOptions {
    /** 32 random bits from a secure source, as a number that is not negative. */
    readonly getRandomValue: () => number;
  }

  /** Compiles the WASM that the package holds as text, and starts it. */
  export default function createLibSodium(options: LibSodiumOptions): Promise<LibSodium>;
}
