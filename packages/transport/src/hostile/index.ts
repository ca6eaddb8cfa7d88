export { type FuzzResult, fuzz, listFuzzTargets } from './run-fuzz.ts';
