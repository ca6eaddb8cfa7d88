import type { Duplex } from 'node:stream';

/**
 * Has small messages that are sent at about the same time leave in as few packets as they fit into: a young TCP connection may have ten
 * packets on their way, however short they are, and then waits a whole round trip.
 * @returns to be called before each write; what is written then leaves when what has come in by now was dealt with
 */
export function gatherWrites(socket: Duplex): () => void {
  let isGathering = false;
  return () => {
    if (isGathering) return;
    isGathering = true;
    socket.cork();
    setImmediate(() => {
      isGathering = false;
      socket.uncork();
    });
  };
}
