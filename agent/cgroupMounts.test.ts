import { expect, test } from 'vitest';
import { cgroupDirectories, controllerDirectory, parseCgroupMounts } from './cgroupMounts.ts';

const HYBRID = `24 18 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
25 24 0:23 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
26 24 0:24 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
27 24 0:25 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd,release_agent=/lib/x
28 24 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
29 24 0:24 / /mnt/bind\\040mount rw - cgroup cgroup rw,memory
`;

test('a hybrid machine counts as v1 and keeps its side hierarchy', () => {
  const mounts = parseCgroupMounts(HYBRID);
  expect(mounts.version).toBe(1);
  expect(mounts.unified).toBe('/sys/fs/cgroup/unified');
  expect(Object.fromEntries(mounts.controllers)).toEqual({
    cpu: '/sys/fs/cgroup/cpu,cpuacct',
    cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
    memory: '/sys/fs/cgroup/memory',
    'name=systemd': '/sys/fs/cgroup/systemd',
  });
  expect(cgroupDirectories(mounts, '/a/b')).toEqual([
    '/sys/fs/cgroup/cpu,cpuacct/a/b',
    '/sys/fs/cgroup/memory/a/b',
    '/sys/fs/cgroup/systemd/a/b',
    '/sys/fs/cgroup/unified/a/b',
  ]);
  expect(controllerDirectory(mounts, 'pids', '/a')).toBeUndefined();
});

test('a unified machine is v2, its mount point unescaped', () => {
  const mounts = parseCgroupMounts('30 1 0:26 / /sys/fs/cg\\040roup rw - cgroup2 cgroup2 rw,nsdelegate\n');
  expect(mounts).toEqual({
    version: 2,
    controllers: new Map(),
    unified: '/sys/fs/cg roup',
    recursiveProtection: false,
  });
  expect(controllerDirectory(mounts, 'pids', '/a')).toBe('/sys/fs/cg roup/a');
  const bySystemd = '30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n';
  expect(parseCgroupMounts(bySystemd).recursiveProtection).toBe(true);
});

test('a machine without cgroups is refused with what to do', () => {
  expect(() => parseCgroupMounts('1 1 0:1 / /proc rw - proc proc rw\n')).toThrow(/Mount cgroup2/);
});
