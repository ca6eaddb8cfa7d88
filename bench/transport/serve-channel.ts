import type { Channel } from './channel.ts';

/** First byte of a channel's first message: what the listening end does with the channel. */
const PURPOSE = { echo: 0, sink: 1, call: 2 } as const;
const COUNT_BYTES = 8;

/** Everything is sent back, the first message too. */
export function echoMessage(bytes: number): Uint8Array {
  const message = new Uint8Array(bytes);
  message[0] = PURPOSE.echo;
  return message;
}

/** One answer, then the end. */
export function callMessage(bytes: number): Uint8Array {
  const message = new Uint8Array(bytes);
  message[0] = PURPOSE.call;
  return message;
}

/** So many bytes will follow; one message comes back when they are there. */
export function sinkMessage(totalBytes: number): Uint8Array {
  const message = new Uint8Array(1 + COUNT_BYTES);
  message[0] = PURPOSE.sink;
  new DataView(message.buffer).setBigUint64(1, BigInt(totalBytes));
  return message;
}

/** The listening end of every way. A channel that was cut is the dialler's matter. */
export async function serveChannel(channel: Channel): Promise<void> {
  try {
    const first = await channel.receive();
    if (first === undefined) return;
    if (first[0] === PURPOSE.sink) await sink(channel, first);
    else if (first[0] === PURPOSE.call) await channel.send(first);
    else await echo(channel, first);
  } catch {
    // Measured, or not, at the other end.
  } finally {
    channel.close();
  }
}

async function sink(channel: Channel, first: Uint8Array): Promise<void> {
  const total = new DataView(first.buffer, first.byteOffset, first.byteLength).getBigUint64(1);
  let left = Number(total);
  while (left > 0) {
    const message = await channel.receive();
    if (message === undefined) return;
    left -= message.byteLength;
  }
  await channel.send(first);
  await channel.receive();
}

async function echo(channel: Channel, first: Uint8Array): Promise<void> {
  for (let message: Uint8Array | undefined = first; message !== undefined; message = await channel.receive()) {
    await channel.send(message);
  }
}
