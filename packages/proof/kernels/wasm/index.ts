export { accumulate } from './accumulate';
export { fillUnits } from './fill';
export { absorb, begin, finish } from './keccak';
export { multiplyUnits } from './multiply';
export { digestRow, drawRow, treeRoot, unpackRows } from './rows';

/** First byte that is the caller's. */
export function heapBase(): usize {
  return __heap_base;
}
