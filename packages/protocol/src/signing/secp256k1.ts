/**
 * The two operations on secp256k1 that messages need. All implementations give the same bytes, they differ in speed alone:
 * nonces by RFC 6979 without further entropy, `s` in the lower half. (Digests beyond the order of the curve, of which a hash is
 * one in 2¹²⁸, may get another nonce: libsecp256k1 does not reduce them first.)
 */
export interface Secp256k1 {
  /**
   * @param digest 32 bytes
   * @param secret 32 bytes
   * @returns 65 bytes: r, s, and a last byte of 27 or 28
   * @throws if the secret is no private key
   */
  sign(digest: Uint8Array, secret: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * @param signature 65 bytes, as of `sign`; nothing else of it is checked by the caller
   * @returns the 64 bytes of the public key without a prefix, or undefined if there is none
   */
  recover(digest: Uint8Array, signature: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined>;
}
