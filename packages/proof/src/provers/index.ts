export { type CpuEngineOptions, openCpuEngine } from './cpu/cpu-engine.ts';
export type { Engine, EngineDevice, EngineKind } from './engine.ts';
export { enginesFor } from './engines-for.ts';
export { type EngineChoice, openEngine } from './open-engine.ts';
export { createProver } from './prover.ts';
export { openReferenceEngine } from './reference/reference-engine.ts';
export { listWebGpuAdapters, type WebGpuAdapter } from './webgpu/open-webgpu-engine.ts';
