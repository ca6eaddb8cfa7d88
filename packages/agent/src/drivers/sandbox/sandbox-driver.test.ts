import { describe } from 'vitest';
import { describeDriver } from '../conformance.ts';
import type { JobHandle } from '../driver.ts';
import { create } from './sandbox-driver.fixture.ts';
import { create as createUnlimited } from './unlimited-sandbox.fixture.ts';

const withPid = (handle: JobHandle, pid: number): JobHandle => ({ ...handle, state: { ...handle.state, pid } });
const fingerprint = await create().fingerprint({ signal: AbortSignal.timeout(30_000) });
const unavailable = fingerprint.available ? '' : ` (skipped: ${fingerprint.reason}; ${fingerprint.remedy})`;

describe.skipIf(!fingerprint.available)(`sandbox${unavailable}`, () => {
  describeDriver({
    name: 'sandbox',
    create,
    module: new URL('./sandbox-driver.fixture.ts', import.meta.url),
    skip: [],
    withPid,
  });

  describeDriver({
    name: 'sandbox without cgroups',
    create: createUnlimited,
    module: new URL('./unlimited-sandbox.fixture.ts', import.meta.url),
    skip: [],
    withPid,
  });
});
