export { findWatch, readWatchStatus } from './find-watch.ts';
export { startKeeper } from './keeper/start-keeper.ts';
export {
  type KeeperOptions,
  type KeeperOptionsInput,
  keeperOptionsSchema,
  type WatchtowerOptions,
  type WatchtowerOptionsInput,
  watchtowerOptionsSchema,
} from './options.ts';
export { readSettings } from './read-settings.ts';
export type { RunningWatch, WatchDependencies } from './start-watch.ts';
export { startWatchtower } from './watchtower/start-watchtower.ts';
