import type { LinkSocket, LinkSocketListener } from '../link/link-socket.ts';
import { after } from '../timers.ts';

/** A browser by itself waits minutes for a book that does not answer. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Bytes that wait in the browser before writers are held up: little, so that a small message need not wait long behind them. */
const FULL_BYTES = 256 * 1024;
/** A book for which so much waits takes nothing any more: each channel has a frame or two on its way, which is far less. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
const LOOK_MS = 1;

/**
 * A link's socket by the browser's own WebSocket. It does not watch for silence as Node's does: a browser answers a book's pings and
 * does not show them, so that a healthy link may be silent for any time. Whoever uses a link notices first, by the heartbeat of the
 * connection above; it then has this checked, and asks the book for an introduction, to which something has to come.
 */
export function openBrowserLinkSocket(url: string, listener: LinkSocketListener): LinkSocket {
  let socket: WebSocket;
  try {
    socket = new WebSocket(url);
  } catch (thrown) {
    // A page served by https may not open ws://, for one. The caller has no socket yet, and hears of it a moment later.
    queueMicrotask(() => listener.onClosed(thrown instanceof Error ? thrown.message : 'the browser refuses it'));
    return { sendText: () => undefined, sendBytes: (_bytes, sent) => sent(), close: () => undefined };
  }
  socket.binaryType = 'arraybuffer';
  const waiting: (() => void)[] = [];
  let stopLooking = () => {};
  let stopCheck: (() => void) | undefined;
  let isOver = false;

  const finish = (reason: string) => {
    if (isOver) return;
    isOver = true;
    stopLooking();
    stopHandshakeTimer();
    stopCheck?.();
    for (const sent of waiting.splice(0)) sent();
    listener.onClosed(reason);
  };
  const drop = (reason: string) => {
    finish(reason);
    socket.close();
  };
  const dropAfter = (ms: number) => after(ms, () => drop(`nothing came for ${ms / 1_000} s`));
  const stopHandshakeTimer = dropAfter(HANDSHAKE_TIMEOUT_MS);
  /** A browser does not tell when a WebSocket has room again: it has to be asked. */
  const look = () => {
    stopLooking();
    if (waiting.length === 0 || isOver) return;
    if (socket.bufferedAmount > FULL_BYTES) stopLooking = after(LOOK_MS, look);
    else for (const sent of waiting.splice(0)) sent();
  };

  socket.addEventListener('open', () => {
    stopHandshakeTimer();
    if (!isOver) listener.onOpen();
  });
  socket.addEventListener('message', ({ data }: { readonly data: unknown }) => {
    if (isOver) return;
    stopCheck?.();
    stopCheck = undefined;
    if (typeof data === 'string') listener.onText(data);
    else if (data instanceof ArrayBuffer) listener.onBytes(new Uint8Array(data));
    // The timers of a tab in the background come once a second, or a minute; what arrives does not wait.
    look();
  });
  socket.addEventListener('close', ({ code, reason }) => finish(reason || `closed with ${code}`));

  const isReady = () => {
    if (socket.bufferedAmount > MAX_WAITING_BYTES) drop('it takes nothing of what is sent');
    return !isOver && socket.readyState === WebSocket.OPEN;
  };

  return {
    sendText: (text) => {
      if (isReady()) socket.send(text);
    },
    sendBytes: (bytes, sent) => {
      if (!isReady()) return sent();
      socket.send(bytes);
      waiting.push(sent);
      look();
    },
    // A link that has merely nothing to say is dropped too: it is made anew when it is needed, which is little beside a dead one.
    check: (timeoutMs) => {
      if (!isOver) stopCheck ??= dropAfter(timeoutMs);
    },
    close: () => drop('closed here'),
  };
}
