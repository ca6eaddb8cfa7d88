import type { UdxStream } from 'udx-native';
import type { KeyPair } from '../key-pair.ts';
import type { Path } from '../paths/path.ts';
import { securePath } from '../paths/secure-path.ts';
import { formatUdpAddress, type UdpAddress } from './udp-address.ts';
import type { UdpPort } from './udp-port.ts';

export interface SecureUdpOptions {
  readonly keyPair: KeyPair;
  readonly isInitiator: boolean;
  readonly remote: UdpAddress;
  readonly signal: AbortSignal;
}

/** A direct path over a connected UDX stream. @throws as `securePath` does */
export async function secureUdp(port: UdpPort, stream: UdxStream, options: SecureUdpOptions): Promise<Path> {
  const { keyPair, isInitiator, signal, remote } = options;
  let onWritten = (_bytes: number) => {};
  const secured = securePath(stream, {
    keyPair,
    isInitiator,
    signal,
    hasPackets: true,
    route: () => ({ kind: 'direct', through: `udp ${formatUdpAddress(remote)}` }),
    roundTripMs: () => (stream.rtt > 0 ? stream.rtt : undefined),
    onWritten: (bytes) => onWritten(bytes),
  });
  onWritten = port.limitHoard(stream);
  return await secured;
}
