export { cheats } from './catalogue.ts';
export type { Cheat, StoppedBy } from './cheat.ts';
export { type Confidence, confidenceOf } from './confidence.ts';
export { type CheatRow, type CheatsProgress, READ_TO_MAKE, type RunCheatsOptions, runCheats } from './run-cheats.ts';
export type { Factors } from './stage/device-model.ts';
