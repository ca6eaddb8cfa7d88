export { type ConnectionLimits, defaultConnectionLimits } from './admission.ts';
export type { ConnectionTimes } from './connection/connection.ts';
export { MAX_DATAGRAM_BYTES } from './connection/datagrams.ts';
export { createTransport } from './create-transport.ts';
export type { Finding, Reachability } from './doctor/diagnose-network.ts';
export type { BookExamination } from './doctor/examine-book.ts';
export { examineNetwork, type NetworkExamination } from './doctor/examine-network.ts';
export { createKeyPair, KEY_SEED_BYTES, type KeyPair } from './key-pair.ts';
export { gatherWrites } from './link/gather-writes.ts';
export { openNodeLinkSocket } from './link/node-link-socket.ts';
export type { RelayPayer, RelayPayment, RelayWord } from './link/relay-payer.ts';
export type { Route } from './paths/path.ts';
export { createPeerTransport, type PeerTransportOptions } from './peer/peer-transport.ts';
export { createRelayTransport, type RelayTransport, type RelayTransportOptions } from './peer/relay-transport.ts';
export { type CallMethodOptions, callMethod } from './rpc/call-method.ts';
export { defineMethod, type Method } from './rpc/define-method.ts';
export {
  type CallContext,
  handleCall,
  handleStream,
  type MethodHandler,
  type StreamReply,
} from './rpc/handle-method.ts';
export type { ChannelMessage, MethodChannel } from './rpc/method-channel.ts';
export { type OpenedMethod, type OpenMethodOptions, openMethod } from './rpc/open-method.ts';
export { type MethodDefect, type MethodServer, type ServeMethodsOptions, serveMethods } from './rpc/serve-methods.ts';
export { MAX_PAYLOAD_BYTES } from './rpc/wire-message.ts';
export {
  createTcpTransport,
  type TcpTransportOptions,
} from './tcp/tcp-transport.ts';
export {
  type EncryptedStream,
  type Listener,
  type ListenOptions,
  MAX_MESSAGE_BYTES,
  type PayingTransport,
  type PeerAddress,
  type RefusedConnection,
  type Transport,
} from './transport.ts';
