import { expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aHost, aPool, aTask, aTaskSpec } from '../../test/support/records.ts';
import { explainTask } from './operate/explain.ts';
import { schedulePass } from './schedulePass.ts';
import { fakeWorld } from './testWorld.ts';

const MEASURED_MS = 300_000;

it('places more on a host than it has as soon as its agent has measured that less is used, and tells ECS so', async () => {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  await store.ensureCluster(aCluster({ pools: [aPool({ cpuOvercommit: 2, maxHosts: 1 })] }));
  const host = aHost({ capacity: { cpu: 2048, memory: 7000 }, left: { cpu: 2048, memory: 7000 } });
  await store.addHost(host);
  const submit = async (taskId: string): Promise<boolean> => {
    await store.acceptTask(aTask({ taskId, spec: aTaskSpec({ demand: { cpu: 1024, memory: 512 } }) }));
    await schedulePass(world, 'prod', [taskId]);
    return (await store.getTask(taskId))?.state === 'PLACED';
  };
  expect([await submit('t1'), await submit('t2'), await submit('t3')]).toEqual([true, true, false]);
  expect((await explainTask(world, 't3'))?.waiting?.closest?.lacks).toEqual({ cpu: 1024 });
  // Set aside is half of what they ask; their container, of which the definition says 256, is launched with half of that.
  expect((await store.getHost('prod', host.hostId))?.left.cpu).toBe(1024);
  expect(world.launched[0]?.containers[0]?.cpu).toBe(128);
  expect((await store.getTask('t1'))?.reason.detail).toContain('promised up to 2 times');

  world.advance(MEASURED_MS);
  const report = (cpuP95: number) =>
    store.tables.reports.set(host.hostId, {
      seenAt: world.clock.now(),
      pressure: { cpu: 0, memory: 0, io: 0 },
      usage: { cpuP95 },
    });
  report(1.9);
  await schedulePass(world, 'prod', []);
  expect((await store.getTask('t3'))?.state).toBe('PENDING');
  report(0.3);
  await schedulePass(world, 'prod', []);
  expect(await store.getTask('t3')).toMatchObject({ state: 'PLACED', cpuOvercommit: 2 });
  // The third counts as asked in full until it has been measured: 0.8 x 2048 - 307 - 1024.
  expect(await submit('t4')).toBe(false);
});
