export { type ConnectionLimits, defaultConnectionLimits } from './direct/admission.ts';
export {
  createDirectTransport,
  type DirectTransportOptions,
  type RefusedConnection,
} from './direct/direct-transport.ts';
export { createKeyPair, KEY_SEED_BYTES, type KeyPair } from './key-pair.ts';
export {
  type EncryptedStream,
  type Listener,
  type ListenOptions,
  MAX_MESSAGE_BYTES,
  type PeerAddress,
  type Transport,
} from './transport.ts';
