import type { PeerKey } from '@latent/protocol';
import type { Link } from './link.ts';

/** Which peers have links to this book now. */
export interface LinkRoster {
  readonly size: number;
  /** The link over which others may be introduced to this peer. */
  accepting(key: PeerKey): Link | undefined;
  /** One link of a key accepts: an older one that did is dropped, as it is most likely dead without knowing it. */
  enter(link: Link): void;
  leave(link: Link): void;
}

export function createLinkRoster(): LinkRoster {
  const accepting = new Map<PeerKey, Link>();
  let size = 0;
  return {
    get size() {
      return size;
    },
    accepting: (key) => accepting.get(key),
    enter: (link) => {
      size += 1;
      if (!link.accepts) return;
      accepting.get(link.key)?.drop();
      accepting.set(link.key, link);
    },
    leave: (link) => {
      size -= 1;
      if (accepting.get(link.key) === link) accepting.delete(link.key);
    },
  };
}
