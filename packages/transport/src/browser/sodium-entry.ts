import * as sodium from './sodium-universal.ts';

// The packages below us `require` it and take its functions by name; our own modules import it whole, as Node offers a CommonJS
// module. This serves both.
// biome-ignore lint/performance/noReExportAll lint/performance/noBarrelFile: stands in the place of a module that exports all this
export * from './sodium-universal.ts';
export default sodium;
