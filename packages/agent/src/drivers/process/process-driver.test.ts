import { openCgroupTree } from '../cgroup/open-cgroup-tree.ts';
import { describeDriver } from '../conformance.ts';
import type { JobHandle } from '../driver.ts';
import { create } from './process-driver.fixture.ts';
import { create as createUnlimited } from './unlimited-driver.fixture.ts';

const withPid = (handle: JobHandle, pid: number): JobHandle => ({ ...handle, state: { ...handle.state, pid } });
const unlimited = (reason: string) =>
  [
    { test: 'bounds the number of processes', reason: `Processes are not bounded: ${reason}.` },
    { test: 'bounds memory', reason: `Memory is not bounded: ${reason}.` },
  ] as const;

const cgroups = await openCgroupTree();

describeDriver({
  name: 'process',
  create,
  module: new URL('./process-driver.fixture.ts', import.meta.url),
  skip: cgroups.usable ? [] : unlimited(`no cgroup can be made here, ${cgroups.reason}`),
  withPid,
});

describeDriver({
  name: 'process without cgroups',
  create: createUnlimited,
  module: new URL('./unlimited-driver.fixture.ts', import.meta.url),
  skip: unlimited('this driver leaves that to cgroups, which the test withholds'),
  withPid,
});
