/** The part of `sodium-universal` 5 that is used here directly; the package ships no types. In browsers another module stands in for it. */
declare module 'sodium-universal' {
  interface Sodium {
    /** Writes 64 bytes of Ed25519 signature to `signature`. */
    crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void;
    randombytes_buf(bytes: Uint8Array): void;
  }
  const sodium: Sodium;
  export default sodium;
}
