import type { ConnectionTimes } from '@latent/transport';

/** A day in minutes: paths are given up sooner than usual. */
export const SOAK_TIMES: ConnectionTimes = { pathTimeoutMs: 600, quietMs: 2_000, resumeMs: 60_000 };
