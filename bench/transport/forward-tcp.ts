import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { LatentError } from '@latent/protocol';
import { createDelayLine } from './delay-line.ts';
import type { Forwarder } from './forward-udp.ts';
import type { ForwarderSetup } from './forwarder-notes.ts';

/** More than this is not on its way at once: what 100 MB/s need at 150 ms. */
const MAX_ON_WAY_BYTES = 16 * 1024 * 1024;

/** Delays bytes. They cannot be lost here: the kernel's TCP ends on either side of this, and never feels the delay. */
export async function forwardTcp({ to, delayMs }: ForwarderSetup): Promise<Forwarder> {
  let packets = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (front) => {
    const back = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    pass(front, back);
    pass(back, front);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new LatentError('INTERNAL', 'A TCP server without a port.');
  return { port: address.port, counts: () => ({ kind: 'counted', packets, lost: 0 }) };

  function pass(from: Socket, to: Socket): void {
    let onWayBytes = 0;
    const line = createDelayLine<Buffer | 'end'>(delayMs, (chunk) => {
      if (chunk === 'end') return void to.end();
      to.write(chunk, () => {
        onWayBytes -= chunk.byteLength;
        from.resume();
      });
    });
    from.on('data', (chunk: Buffer) => {
      packets += 1;
      onWayBytes += chunk.byteLength;
      line.add(chunk);
      if (onWayBytes > MAX_ON_WAY_BYTES) from.pause();
    });
    from.on('end', () => line.add('end'));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      if (from.errored) to.destroy();
    });
  }
}
