import type { Parameters } from '../../../spec/parameters.ts';
import { bandwidthPassBytes } from './bandwidth-pass.ts';
import { tryBuffer } from './buffers.ts';
import { computePassBytes } from './compute-pass.ts';
import { weightBufferBytes } from './network.ts';
import type { OpenDevice } from './open-device.ts';
import { reopenBytes } from './reopen-rows.ts';
import { shapeOf } from './shape-of.ts';

/**
 * Layers that fit, a multiple of the lanes. WebGPU does not tell how much memory a device has: buffers are taken until the
 * device refuses or `mostBytes` are reached, and given back. What a driver grants it may still keep in the machine's
 * memory, so `mostBytes` should be what is known of the device from elsewhere.
 * @param ownBytes of weights that are held now, and that a fill would give back
 */
export async function fittingLayers(
  open: OpenDevice,
  parameters: Parameters,
  mostBytes: number,
  ownBytes: number,
): Promise<number> {
  const shape = shapeOf(open, parameters);
  const bytes = weightBufferBytes(parameters, shape);
  const probes: GPUBuffer[] = [];
  try {
    while (ownBytes + (probes.length + 1) * bytes <= mostBytes) {
      const probe = await tryBuffer(open, 'a probe', bytes);
      if (probe === undefined) break;
      probes.push(probe);
    }
  } finally {
    for (const probe of probes) probe.destroy();
  }
  await open.orLost(open.device.queue.onSubmittedWorkDone());
  const free = ownBytes + probes.length * bytes;
  const atOnce = { parameters, shape };
  const layerBytes = bytes / shape.bufferLayers;
  let layers = Math.floor(free / layerBytes / parameters.lanes) * parameters.lanes;
  const working = () =>
    computePassBytes(atOnce, layers) + bandwidthPassBytes(atOnce, layers) + reopenBytes(atOnce, layers);
  while (layers > 0 && layers * layerBytes + working() > free) layers -= parameters.lanes;
  return layers;
}
