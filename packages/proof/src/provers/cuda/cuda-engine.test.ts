import { describe } from 'vitest';
import { parameterSets } from '../../spec/parameters.ts';
import { describeEngine } from '../conformance.ts';
import { buildDouble, type CudaDouble, whyNoDouble } from './cuda-double.fixture.ts';
import { openCudaEngine } from './cuda-engine.ts';

/** What the fast kernels are made for, small: their own code runs at it. */
export const fastParameters = { ...parameterSets.development, gates: 16, computeRows: 128, laneRows: 8 };

const skip = await whyNoDouble();
let double: CudaDouble;
const built = async () => {
  double ??= await buildDouble();
  double.devices(1);
  return double;
};

describe('on an emulated device', () => {
  describeEngine('cuda, compute capability 9.0', async () => openCudaEngine({ libraries: [(await built()).library] }), {
    skip,
    shapes: [{ parameters: fastParameters, layers: 4 }],
  });
});
