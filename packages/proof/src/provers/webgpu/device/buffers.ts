import { LatentError } from '@latent/protocol';
import type { OpenDevice } from './open-device.ts';

/** Flags of WebGPU, as its specification numbers them (§5.1.2 and §5.2): the library's own are loaded only in time of need. */
export const BUFFER_USAGE = { mapRead: 0x1, copyFrom: 0x4, copyTo: 0x8, uniform: 0x40, storage: 0x80 } as const;
const MAP_MODE_READ = 0x1;

/** What most buffers are for. */
const STORAGE = BUFFER_USAGE.storage | BUFFER_USAGE.copyFrom | BUFFER_USAGE.copyTo;

/**
 * Takes memory of the device. It reads as zero.
 * @param bytes a multiple of four
 * @throws LatentError `DEVICE_OUT_OF_MEMORY`
 */
export async function takeBuffer(open: OpenDevice, label: string, bytes: number, usage = STORAGE): Promise<GPUBuffer> {
  const buffer = await tryBuffer(open, label, bytes, usage);
  if (buffer !== undefined) return buffer;
  throw new LatentError('DEVICE_OUT_OF_MEMORY', `The device has no ${bytes} bytes left for ${label}.`, {
    hint: 'Ask for fewer layers, or end what else uses the device’s memory.',
    details: { bytes },
  });
}

/** @returns undefined if the device has not so much memory, or does not give it in one piece */
export async function tryBuffer(
  { device, orLost, mostBufferBytes }: OpenDevice,
  label: string,
  bytes: number,
  usage = STORAGE,
): Promise<GPUBuffer | undefined> {
  if (bytes > mostBufferBytes) return undefined;
  device.pushErrorScope('out-of-memory');
  const buffer = device.createBuffer({ label, size: bytes, usage });
  const error = await orLost(device.popErrorScope());
  if (error === null) return buffer;
  buffer.destroy();
  return undefined;
}

/** What was taken so far, to be given back at once. */
export interface Taking {
  readonly take: (label: string, bytes: number) => Promise<GPUBuffer>;
  /** Adds what was taken by other means. */
  readonly add: (taken: { destroy: () => void }) => void;
  readonly release: () => void;
}

/** Takes buffers one after the other. Whoever fails in between calls `release`. */
export function startTaking(open: OpenDevice): Taking {
  const taken: { destroy: () => void }[] = [];
  return {
    take: async (label, bytes) => {
      const buffer = await takeBuffer(open, label, bytes);
      taken.push(buffer);
      return buffer;
    },
    add: (one) => void taken.push(one),
    release: () => {
      for (const buffer of taken) buffer.destroy();
    },
  };
}

/** Copies what a buffer holds to the machine, once all that was asked for before is done. */
export async function readBuffer(open: OpenDevice, source: GPUBuffer, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const copy = await takeBuffer(open, 'a copy', bytes, BUFFER_USAGE.mapRead | BUFFER_USAGE.copyTo);
  try {
    const encoder = open.device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, copy, 0, bytes);
    open.device.queue.submit([encoder.finish()]);
    await open.orLost(copy.mapAsync(MAP_MODE_READ));
    open.check();
    return new Uint8Array(copy.getMappedRange().slice(0));
  } finally {
    copy.destroy();
  }
}
