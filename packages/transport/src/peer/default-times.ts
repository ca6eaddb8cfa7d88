import type { ConnectionTimes } from '../connection/connection.ts';

/** A lost path is noticed within three seconds while somebody waits; a connection waits a minute for another one. */
export const defaultTimes: ConnectionTimes = { pathTimeoutMs: 3_000, quietMs: 15_000, resumeMs: 60_000 };
