/*
 * What a page needs of this package, and what runs there: peers are reached through books alone, as a browser has no UDP. Nothing here
 * leads to a module of Node. To be built with the plugin of `@latent/transport/vite`.
 */

export type { ConnectionTimes } from '../connection/connection.ts';
export { createKeyPair, KEY_SEED_BYTES, type KeyPair } from '../key-pair.ts';
export type { Route } from '../paths/path.ts';
export { type CallMethodOptions, callMethod } from '../rpc/call-method.ts';
export { defineMethod, type Method } from '../rpc/define-method.ts';
export {
  type CallContext,
  handleCall,
  handleStream,
  type MethodHandler,
  type StreamReply,
} from '../rpc/handle-method.ts';
export type { ChannelMessage, MethodChannel } from '../rpc/method-channel.ts';
export { type OpenedMethod, type OpenMethodOptions, openMethod } from '../rpc/open-method.ts';
export { type MethodDefect, type MethodServer, type ServeMethodsOptions, serveMethods } from '../rpc/serve-methods.ts';
export { MAX_PAYLOAD_BYTES } from '../rpc/wire-message.ts';
export {
  type EncryptedStream,
  type Listener,
  type ListenOptions,
  MAX_MESSAGE_BYTES,
  type PeerAddress,
  type RefusedConnection,
  type Transport,
} from '../transport.ts';
export { type BrowserTransportOptions, createBrowserTransport } from './browser-transport.ts';
