export type { OperatorRegistry, RegisteredAgent } from './intake/operator-registry.ts';
export { type BookOptions, type BookOptionsInput, bookOptionsSchema } from './options.ts';
export { type RunningBook, type StartBookDependencies, startBook } from './start-book.ts';
