import { parameterSets } from '../../spec/parameters.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import { modelDevice, noWork } from '../stage/device-model.ts';
import { type LayerCall, readLayer } from '../stage/keeping-engine.ts';
import type { LayerWeights } from '../stage/network.ts';
import { misbehave, STAGE_LAYERS, type Stage } from '../stage/stage.ts';

/** Layers that the device holds, of the 22 that it declares. */
const HELD = 20;

/** Bytes per second: HBM3e of an H200 (NVIDIA H200 datasheet), 16 lanes of PCIe 5.0 and 4 of PCIe 4.0 (PCI-SIG: GT/s × lanes × 128/130 ÷ 8). */
const DEVICE_RATE = 4.8e12;
const HOST_RATE = (32e9 * 16 * (128 / 130)) / 8;
const DISK_RATE = (16e9 * 4 * (128 / 130)) / 8;

/**
 * Declares a tenth more layers than it holds, and derives the weights of the others again in each pass.
 *
 * Gains: memory. Pays: each pass of the bandwidth phase waits for what is derived, so that the third number falls; and only
 * all three numbers together reach a class.
 */
export const lessMemoryRecomputed: Cheat = lessMemory({
  name: 'less-memory-recomputed',
  how: 'derives the rest again in each pass',
  elsewhere: 'deriving',
  device: ({ readToMake }) => modelDevice(parameterSets.development, HELD, readToMake),
  layer: (call) => (call.index < HELD ? readLayer(call) : deriveAgain(call)),
});

/** The same from the memory of the machine, over its bus. */
export const lessMemoryFromHost: Cheat = lessMemory({
  name: 'less-memory-from-host',
  how: 'streams the rest from the machine’s memory in each pass (4.8 TB/s against 63 GB/s)',
  elsewhere: 'the bus',
  device: ({ readToMake }) => modelDevice(parameterSets.development, HELD, readToMake, DEVICE_RATE / HOST_RATE),
  layer: fetchBeyondHeld,
  keptLayers: STAGE_LAYERS,
});

/** The same from a disk. */
export const lessMemoryFromDisk: Cheat = lessMemory({
  name: 'less-memory-from-disk',
  how: 'streams the rest from a disk in each pass (4.8 TB/s against 7.9 GB/s)',
  elsewhere: 'the disk',
  device: ({ readToMake }) => modelDevice(parameterSets.development, HELD, readToMake, DEVICE_RATE / DISK_RATE),
  layer: fetchBeyondHeld,
  keptLayers: STAGE_LAYERS,
});

interface LessMemory {
  readonly name: string;
  readonly how: string;
  readonly elsewhere: string;
  readonly device: (stage: Stage) => ReturnType<typeof modelDevice>;
  readonly layer: (call: LayerCall) => LayerWeights;
  readonly keptLayers?: number;
}

function lessMemory({ name, how, elsewhere, device, layer, keptLayers = HELD }: LessMemory): Cheat {
  return {
    name,
    summary: `declares a tenth more layers than its memory holds, and ${how}`,
    claims: { ...honestClaims, memory: STAGE_LAYERS / HELD },
    predicted: 0,
    stoppedBy: 'time',
    explanation: `Every pass of the bandwidth phase reads each byte of the weights once and waits for ${elsewhere}: the bytes per second fall by far more than the bytes rise.`,
    device,
    begin: (stage) => misbehave(stage, { keptLayers: () => keptLayers, layer }, device(stage)),
  };
}

function deriveAgain({ index, derive, work }: LayerCall): LayerWeights {
  const weights = derive(index);
  work.bytesMade += weights.length;
  return weights;
}

function fetchBeyondHeld(call: LayerCall): LayerWeights {
  if (call.index < HELD) return readLayer(call);
  const weights = readLayer({ ...call, work: noWork() });
  call.work.bytesFetched += weights.length;
  return weights;
}
