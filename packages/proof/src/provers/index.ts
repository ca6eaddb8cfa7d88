export { type CpuEngineOptions, openCpuEngine } from './cpu/cpu-engine.ts';
export type { Engine, EngineDevice, EngineKind } from './engine.ts';
export { createProver } from './prover.ts';
export { openReferenceEngine } from './reference/reference-engine.ts';
