/** The part of `udx-native` 1.21 that is used here; the package ships no types. */
declare module 'udx-native' {
  import type { Duplex } from 'streamx';

  interface UdxAddress {
    readonly host: string;
    readonly family: 4 | 6;
    readonly port: number;
  }

  interface UdxStreamOptions {
    /** Asked for each packet that comes before `connect`; false lets it in. */
    readonly firewall?: (socket: UdxSocket, port: number, host: string) => boolean;
  }

  /** A reliable, congestion-controlled stream. Its packets are told apart by its number, not by where they come from. */
  interface UdxStream extends Duplex {
    readonly id: number;
    readonly connected: boolean;
    /** Smoothed round trip in milliseconds; 0 before the first. */
    readonly rtt: number;
    readonly mtu: number;
    /** Everything that came for this stream, headers of 20 bytes included. */
    readonly bytesReceived: number;
    readonly packetsReceived: number;
    connect(socket: UdxSocket, remoteId: number, port: number, host: string): void;
    /** Sends one packet that may be lost; arrives as `message`. */
    trySend(packet: Uint8Array): void;
  }

  interface UdxSocket {
    /** @throws when the address cannot be bound */
    bind(port: number, host: string): void;
    /** null before `bind`. */
    address(): UdxAddress | null;
    trySend(packet: Uint8Array, port: number, host: string): void;
    /** Waits for its streams. */
    close(): Promise<void>;
    setRecvBufferSize(bytes: number): void;
    setSendBufferSize(bytes: number): void;
    /** Packets that belong to no stream. */
    on(event: 'message', listener: (packet: Uint8Array, from: UdxAddress) => void): this;
  }

  export default class UDX {
    createSocket(options?: { readonly ipv6Only?: boolean; readonly reuseAddress?: boolean }): UdxSocket;
    /** @param id of this side, 32 bits */
    createStream(id: number, options?: UdxStreamOptions): UdxStream;
  }

  export type { UdxAddress, UdxSocket, UdxStream };
}
