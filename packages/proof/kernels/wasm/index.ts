export { accumulate } from './accumulate';
export { absorb, begin, finish } from './keccak';

/** First byte that is the caller's. */
export function heapBase(): usize {
  return __heap_base;
}
