/** The WebSocket below a link, in the few words that Node's and a browser's have in common. */
export interface LinkSocket {
  sendText(text: string): void;
  /** @param sent called when the bytes have left, or never will */
  sendBytes(bytes: Uint8Array, sent: () => void): void;
  /**
   * There is reason to doubt it: drops it unless the book shows within `timeoutMs` that it is there. A browser hides the pings of
   * WebSockets: there anything that comes will do, and a link that has merely nothing to say is dropped too.
   */
  check?(timeoutMs: number): void;
  /** Drops it. */
  close(): void;
}

export interface LinkSocketListener {
  readonly onOpen: () => void;
  readonly onText: (text: string) => void;
  /** The bytes are the listener's from then on. */
  readonly onBytes: (bytes: Uint8Array) => void;
  /** Called once, also when it never opened. */
  readonly onClosed: (reason: string) => void;
}

/** Opens a WebSocket; what becomes of it is told to the listener. Never throws. */
export type OpenLinkSocket = (url: string, listener: LinkSocketListener) => LinkSocket;
