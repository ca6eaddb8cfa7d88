import { describe, expect, test } from 'vitest';
import { findCgroupTrees } from './find-cgroup-tree.ts';

const unified = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';
const split = ['cpu,cpuacct', 'memory', 'pids']
  .map(
    (name, index) => `${40 + index} 30 0:${50 + index} / /sys/fs/cgroup/${name} rw shared:9 - cgroup cgroup rw,${name}`,
  )
  .join('\n');
const other = '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw';

describe('findCgroupTrees', () => {
  test('lies at the top for root, out of the reach of what ends the agent', () => {
    const selfCgroup = '0::/system.slice/latent.service\n';
    expect(findCgroupTrees({ mountinfo: `${other}\n${unified}`, selfCgroup, root: true })).toEqual([
      { version: 2, mount: '/sys/fs/cgroup', parent: '/sys/fs/cgroup/latent' },
    ]);
  });

  test('lies in its own cgroup for an ordinary user, and has the agent move out of the way', () => {
    const own = '/user.slice/user-1000.slice/user@1000.service/app.slice/latent.service';
    const expected = {
      version: 2,
      mount: '/sys/fs/cgroup',
      parent: `/sys/fs/cgroup${own}/latent`,
      agentLeaf: `/sys/fs/cgroup${own}/agent`,
    };
    expect(findCgroupTrees({ mountinfo: unified, selfCgroup: `0::${own}\n`, root: false })).toEqual([expected]);
    expect(findCgroupTrees({ mountinfo: unified, selfCgroup: `0::${own}/agent\n`, root: false })).toEqual([expected]);
  });

  test('has one folder per controller in version 1', () => {
    const selfCgroup = '9:pids:/\n4:memory:/a\n2:cpu,cpuacct:/b\n';
    expect(findCgroupTrees({ mountinfo: split, selfCgroup, root: true })).toEqual([
      {
        version: 1,
        parents: {
          memory: '/sys/fs/cgroup/memory/latent',
          cpu: '/sys/fs/cgroup/cpu,cpuacct/latent',
          pids: '/sys/fs/cgroup/pids/latent',
          cpuacct: '/sys/fs/cgroup/cpu,cpuacct/latent',
        },
      },
    ]);
    const [tree] = findCgroupTrees({ mountinfo: split, selfCgroup, root: false });
    expect(tree).toMatchObject({
      parents: { memory: '/sys/fs/cgroup/memory/a/latent', pids: '/sys/fs/cgroup/pids/latent' },
    });
  });

  test('prefers version 2 on a machine that has both', () => {
    const trees = findCgroupTrees({ mountinfo: `${split}\n${unified}`, selfCgroup: '0::/\n', root: true });
    expect(trees.map((tree) => tree.version)).toEqual([2, 1]);
  });

  test('finds none where a controller is missing or nothing is mounted', () => {
    const withoutPids = split.split('\n').slice(0, 2).join('\n');
    for (const mountinfo of ['', other, withoutPids]) {
      expect(findCgroupTrees({ mountinfo, selfCgroup: '', root: true })).toEqual([]);
    }
  });

  test('takes the part of the path that is seen inside a container', () => {
    const mountinfo = '30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw';
    const trees = findCgroupTrees({ mountinfo, selfCgroup: '0::/docker/abc/agents\n', root: false });
    expect(trees[0]).toMatchObject({ parent: '/sys/fs/cgroup/agents/latent' });
  });
});
