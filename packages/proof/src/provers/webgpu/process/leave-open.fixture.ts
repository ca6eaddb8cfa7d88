import { openWebGpuEngine } from '../open-webgpu-engine.ts';

// Opens an engine and forgets it.
const engine = await openWebGpuEngine();
process.stdout.write(engine.device.class);
