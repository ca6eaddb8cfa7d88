import { MAX_RELAY_PAYLOAD_BYTES, RELAY_HEADER_BYTES } from '@latent/protocol';
import { WebSocket } from 'ws';
import { after } from '../timers.ts';
import { gatherWrites } from './gather-writes.ts';
import type { LinkSocket, LinkSocketListener } from './link-socket.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A book pings every 20 s; one that is silent for so long is gone. */
const SILENCE_MS = 50_000;
/** A book for which so much waits takes nothing any more: each channel has a frame or two on its way, which is far less. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** A link's socket by `ws`. */
export function openNodeLinkSocket(url: string, listener: LinkSocketListener): LinkSocket {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    maxPayload: MAX_RELAY_PAYLOAD_BYTES + RELAY_HEADER_BYTES,
    // Masking keeps scripts of web pages from feeding proxies chosen bytes; ours are ciphertext, and the mask would be work for nothing.
    generateMask: (mask) => mask.fill(0),
  });
  let gather = () => {};
  socket.on('upgrade', (response) => {
    gather = gatherWrites(response.socket);
  });
  let reason = '';
  let stopWatch = after(SILENCE_MS, () => socket.terminate());
  let stopCheck: (() => void) | undefined;
  const heard = () => {
    stopWatch();
    stopWatch = after(SILENCE_MS, () => socket.terminate());
  };
  socket.on('open', listener.onOpen);
  socket.on('ping', heard);
  socket.on('pong', () => {
    stopCheck?.();
    stopCheck = undefined;
  });
  socket.on('message', (data, isBinary) => {
    if (!(data instanceof Buffer)) return;
    if (isBinary) listener.onBytes(data);
    else listener.onText(data.toString());
  });
  socket.on('error', (error) => {
    reason = error.message;
  });
  socket.on('close', (code, why) => {
    stopWatch();
    stopCheck?.();
    listener.onClosed(reason || why.toString() || `closed with ${code}`);
  });
  const isReady = () => {
    if (socket.bufferedAmount > MAX_WAITING_BYTES) {
      reason = 'it takes nothing of what is sent';
      socket.terminate();
    }
    return socket.readyState === WebSocket.OPEN;
  };
  return {
    sendText: (text) => {
      if (!isReady()) return;
      gather();
      socket.send(text);
    },
    sendBytes: (bytes, sent) => {
      if (!isReady()) return sent();
      gather();
      socket.send(bytes, { binary: true }, () => sent());
    },
    check: (timeoutMs) => {
      // All paths of a link may be doubted at once: one answer is for all.
      if (socket.readyState !== WebSocket.OPEN || stopCheck !== undefined) return;
      stopCheck = after(timeoutMs, () => socket.terminate());
      socket.ping();
    },
    close: () => socket.terminate(),
  };
}
