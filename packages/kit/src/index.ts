export { type Clock, systemClock } from './clock.ts';
export {
  type Config,
  ConfigError,
  type ConfigOrigin,
  type ConfigSource,
  type LoadConfigOptions,
  loadConfig,
  processEnvironment,
} from './config.ts';
export {
  createLogger,
  type LogFields,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  silentLogger,
} from './logger.ts';
export { createManualClock, type ManualClock } from './manual-clock.ts';
export { loadNativeSecp256k1, type NativeSecp256k1 } from './native-secp256k1.ts';
export {
  identifyProcess,
  isRunning,
  type ProcessIdentity,
  processIdentitySchema,
  signalProcess,
} from './process-identity.ts';
export { loadOrCreateSecret, SecretFileError } from './secret-file.ts';
export { type Cleanup, type CleanupFailure, createShutdown, type Shutdown, type ShutdownOptions } from './shutdown.ts';
export { integerColumn, type OpenStoreOptions, openStore, type SqlValue, type Store } from './store.ts';
export { StoreError, type StoreErrorKind } from './store-error.ts';
