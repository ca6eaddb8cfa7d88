import { describeEngine, oddParameters } from '../conformance.ts';
import { openWebGpuEngine } from './open-webgpu-engine.ts';
import { findTestAdapter } from './software-adapter.fixture.ts';

const found = await findTestAdapter();
const environment = 'skip' in found ? {} : found.environment;
const skip = 'skip' in found ? found.skip : undefined;
// Only so that a hung test ends: software adapters take seconds to compile a set's shaders.
const timeoutMs = 180_000;
const memoryBytes = 16 * 2 ** 20;

/** As many gates and rows of a lane as `production` has. */
const manyGates = { ...oddParameters, width: 256, gates: 16, links: 1, computeRows: 32, laneRows: 8 };

describeEngine('webgpu, int8', async () => openWebGpuEngine({ environment, memoryBytes, arithmetic: 'dot4' }), {
  skip,
  timeoutMs,
  shapes: [{ parameters: manyGates, layers: 2 }],
});

describeEngine(
  'webgpu, binary32, in small buffers',
  // Room for one layer of the largest shape, so that a step's weights come from several buffers.
  async () => openWebGpuEngine({ environment, memoryBytes, arithmetic: 'f32', mostBufferBytes: 2 ** 20 }),
  { skip, timeoutMs },
);
