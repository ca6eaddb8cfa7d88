import { LatentError } from '@latent/protocol';
import { layerBytes, type Parameters } from '../../../spec/parameters.ts';
import type { Shape } from '../shaders/layout.ts';
import type { OpenDevice } from './open-device.ts';

/** Bindings of weights that a step may have: eight storage buffers are granted by every device, two hold keys and states. */
const MOST_WEIGHT_BINDINGS = 6;

/**
 * What the shaders of a parameter set are made for on this device. A step of a bandwidth pass reads all lanes' layers in
 * one dispatch, and so from as few buffers as the device's limits allow.
 * @throws LatentError `DEVICE_UNAVAILABLE` if a layer is larger than what a shader of this device may reach
 */
export function shapeOf({ arithmetic, mostBufferBytes }: OpenDevice, parameters: Parameters): Shape {
  const { width, gates, links, lanes, laneRows } = parameters;
  if (width % 256 !== 0 || ![1, 2, 4, 8, 16].includes(gates) || (laneRows * width) % 4 !== 0)
    throw new LatentError('INTERNAL', `There are no shaders for width ${width} and ${gates} gates.`);
  const buffers = Array.from({ length: Math.min(lanes, MOST_WEIGHT_BINDINGS) }, (_, index) => index + 1).find(
    (count) => lanes % count === 0 && (lanes / count) * layerBytes(parameters) <= mostBufferBytes,
  );
  if (buffers === undefined) {
    throw new LatentError(
      'DEVICE_UNAVAILABLE',
      `A shader of this device reaches ${mostBufferBytes} bytes, less than the layers of a step.`,
      {
        hint: 'Prove with another engine, or with another set of parameters.',
      },
    );
  }
  return { width, gates, links, lanes, laneRows, arithmetic, bufferLayers: lanes / buffers };
}
