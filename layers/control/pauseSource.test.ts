import { expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aHost, aTask } from '../../test/support/records.ts';
import { explainTask } from './operate/explain.ts';
import { clusterStatus } from './operate/status.ts';
import { schedulePass } from './schedulePass.ts';
import { fakeWorld } from './testWorld.ts';

it('leaves the tasks of a paused source in the queue and places the others', async () => {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  await store.ensureCluster(aCluster());
  await store.addHost(aHost());
  await store.acceptTask(aTask({ taskId: 'held', source: 'reports' }));
  await store.acceptTask(aTask({ taskId: 'other', source: 'shop' }));
  await store.setPaused('prod', true, 5, 'reports');
  expect(await store.setPaused('prod', false, 4, 'reports')).toEqual({ outcome: 'refused' });
  const report = await schedulePass(world, 'prod', ['held', 'other']);
  expect(report).toMatchObject({ placed: 1, unmet: 0, waiting: 0 });
  expect((await store.getTask('other'))?.state).toBe('PLACED');
  expect((await store.getTask('held'))?.state).toBe('PENDING');
  expect((await explainTask(world, 'held'))?.summary).toMatch(/source reports is paused/);
  expect(await clusterStatus(world, 'prod')).toMatchObject({ paused: false, pausedSources: ['reports'] });
  await store.setPaused('prod', false, 6, 'reports');
  await schedulePass(world, 'prod', []);
  expect((await store.getTask('held'))?.state).toBe('PLACED');
});
