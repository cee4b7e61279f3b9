import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assignCpus, type PinRequest } from './cpuPools.ts';
import { formatCpuList, type HostTopology, parseCpuList } from './topology.ts';

const host = (cores: number, threads: number, nodes: number): HostTopology => ({
  cgroupVersion: 2,
  cpus: Array.from({ length: cores * threads }, (_, id) => ({
    id,
    // As x86 counts: first threads of all cores, then the second ones.
    core: `0:${id % cores}`,
    node: Math.floor(((id % cores) * nodes) / cores),
  })),
  memoryBytes: 2 ** 34,
  swapBytes: 0,
  pageBytes: 4096,
  hugePageSizes: [],
});
const hosts = fc
  .tuple(fc.integer({ min: 1, max: 16 }), fc.constantFrom(1, 2), fc.constantFrom(1, 2))
  .map(([cores, threads, nodes]) => host(cores, threads, Math.min(nodes, cores)));
const requestLists = fc
  .array(fc.integer({ min: 1, max: 8 }), { maxLength: 8 })
  .map((sizes) => sizes.map((cpus, index): PinRequest => ({ key: `t${index}`, cpus })));

test('pins are disjoint, of the asked size, and leave a shared pool', () => {
  fc.assert(
    fc.property(hosts, requestLists, (topology, requests) => {
      const { pinned, shared, refused } = assignCpus(topology, requests, new Map());
      const all = [...pinned.values()].flat().concat(shared);
      expect(all.toSorted((a, b) => a - b)).toEqual(topology.cpus.map(({ id }) => id));
      expect(shared.length).toBeGreaterThan(0);
      for (const { key, cpus } of requests) {
        expect(pinned.get(key)?.length ?? cpus).toBe(cpus);
        expect(pinned.has(key)).toBe(!refused.has(key));
      }
    }),
  );
});

test('a newcomer never moves a task that has its CPUs', () => {
  fc.assert(
    fc.property(hosts, requestLists, fc.integer({ min: 1, max: 8 }), (topology, requests, cpus) => {
      const before = assignCpus(topology, requests, new Map()).pinned;
      const after = assignCpus(topology, [{ key: 'new', cpus }, ...requests], before).pinned;
      for (const [key, held] of before) expect(after.get(key)).toEqual(held);
    }),
  );
});

test('a request takes whole cores on one node while there are some', () => {
  const topology = host(8, 2, 2);
  const { pinned } = assignCpus(topology, [{ key: 'a', cpus: 4 }], new Map());
  const cpus = topology.cpus.filter(({ id }) => pinned.get('a')?.includes(id));
  expect(new Set(cpus.map(({ core }) => core)).size).toBe(2);
  expect(new Set(cpus.map(({ node }) => node)).size).toBe(1);
});

test('a request takes the CPUs it wishes for, and others rather than none', () => {
  const topology = host(8, 1, 2);
  const among = [3, 6, 7];
  const pinned = (cpus: number) =>
    assignCpus(topology, [{ key: 'a', cpus, among }], new Map()).pinned.get('a');
  expect(pinned(1)).toEqual([3]);
  expect(pinned(3)).toEqual(among);
  expect(pinned(4)).toHaveLength(4);
});

test('CPU lists are read and written as the kernel does', () => {
  expect(formatCpuList([8, 0, 1, 2, 5, 4])).toBe('0-2,4-5,8');
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(300)), (cpus) => {
      expect(parseCpuList(`${formatCpuList(cpus)}\n`)).toEqual(cpus.toSorted((a, b) => a - b));
    }),
  );
});
