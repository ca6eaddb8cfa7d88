import { layerBytes, type Parameters } from '../../../spec/parameters.ts';
import { fillGroups } from '../shaders/fill.wgsl.ts';
import type { Shape } from '../shaders/layout.ts';
import { takeBuffer } from './buffers.ts';
import { type CommandsContext, startCommands } from './commands.ts';
import type { Programs } from './programs.ts';

/** A device together with the programs of one parameter set. */
export interface Workshop extends CommandsContext {
  readonly parameters: Parameters;
  readonly shape: Shape;
  readonly programs: Programs;
}

/** Layers whose weights a device holds. */
export interface Network {
  readonly layers: number;
  /** The buffers that hold them, `shape.bufferLayers` in each. */
  readonly weights: readonly GPUBuffer[];
  /** Where a layer's weights are. */
  readonly layer: (layer: number) => GPUBufferBinding;
}

/** Bytes of one buffer of weights. */
export function weightBufferBytes(parameters: Parameters, shape: Shape): number {
  return shape.bufferLayers * layerBytes(parameters);
}

/** @throws LatentError `DEVICE_OUT_OF_MEMORY`; what was taken until then is given back */
export async function takeNetwork(workshop: Workshop, layers: number, signal: AbortSignal): Promise<Network> {
  const { open, parameters, shape } = workshop;
  const weights: GPUBuffer[] = [];
  const bytes = weightBufferBytes(parameters, shape);
  try {
    for (let first = 0; first < layers; first += shape.bufferLayers) {
      signal.throwIfAborted();
      weights.push(await takeBuffer(open, `the weights from layer ${first} on`, bytes));
    }
  } catch (error) {
    for (const buffer of weights) buffer.destroy();
    throw error;
  }
  return {
    layers,
    weights,
    layer: (layer) => {
      const buffer = weights[Math.floor(layer / shape.bufferLayers)];
      if (buffer === undefined) throw new RangeError(`layer ${layer} of ${layers}`);
      const size = layerBytes(parameters);
      return { buffer, offset: (layer % shape.bufferLayers) * size, size };
    },
  };
}

/** Derives the weights of all layers into their memory. @param sessionId 32 bytes */
export async function fillNetwork(
  workshop: Workshop,
  network: Network,
  sessionId: Uint8Array,
  signal: AbortSignal,
  onProgress: (layersDone: number) => void,
): Promise<void> {
  const { programs, shape } = workshop;
  const session = wordsOf(sessionId);
  const commands = startCommands(workshop, signal);
  for (let layer = 0; layer < network.layers; layer++) {
    await commands.dispatch({
      program: programs.fill,
      buffers: programs.fill.bind(network.layer(layer)),
      groups: fillGroups(shape),
      parameters: [layer, 0, 0, ...session],
      heavy: 'fill',
    });
    commands.whenDone(() => onProgress(layer + 1));
  }
  await commands.finish();
}

/** Bytes as shaders read them, in words whose first byte is the lowest. */
export function wordsOf(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(4 * index, true));
}
