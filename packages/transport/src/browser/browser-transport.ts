import { createRelayTransport, type RelayTransportOptions } from '../peer/relay-transport.ts';
import type { Transport } from '../transport.ts';
import { openBrowserLinkSocket } from './browser-link-socket.ts';

export type BrowserTransportOptions = Omit<RelayTransportOptions, 'openSocket'>;

/**
 * {@link Transport} of a page or a worker: through books, by the browser's WebSocket. When the page goes away, its connections end and
 * the peers are told; a page that the browser keeps for the way back, and shows again, makes others.
 */
export function createBrowserTransport(options: BrowserTransportOptions): Transport {
  const { hangUp, ...transport } = createRelayTransport({ ...options, openSocket: openBrowserLinkSocket });
  const scope: unknown = globalThis;
  const page = scope instanceof EventTarget ? scope : undefined;
  const onHide = (event: Event) => {
    const isKept = 'persisted' in event && event.persisted === true;
    void (isKept ? hangUp() : transport.close());
  };
  page?.addEventListener('pagehide', onHide);
  return {
    ...transport,
    close: async () => {
      page?.removeEventListener('pagehide', onHide);
      await transport.close();
    },
  };
}
