import { expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aHost, aTask, aTaskSpec } from '../../test/support/records.ts';
import { observeTask } from './observeTask.ts';
import { reconcileCluster } from './reconcile/reconcileCluster.ts';
import { schedulePass } from './schedulePass.ts';
import { fakeWorld } from './testWorld.ts';

async function started(timeoutSeconds: number) {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  await store.ensureCluster(aCluster());
  await store.addHost(aHost());
  await store.acceptTask(aTask({ spec: aTaskSpec({ timeoutSeconds }) }));
  await schedulePass(world, 'prod', ['t1']);
  const seen = {
    cluster: 'prod',
    ecsTaskArn: 'arn:t1:1',
    ref: { taskId: 't1', attempt: 1 },
    version: 2,
    lastStatus: 'RUNNING',
    desiredStatus: 'RUNNING',
    startedAt: world.clock.now(),
  };
  return { store, world, seen };
}

it('asks for a pass at the deadline, which stops the attempt, counted from the start of its process', async () => {
  const { store, world, seen } = await started(60);
  await observeTask(world, seen);
  expect(world.woken).toContainEqual({ reason: 'a timeout', taskIds: ['t1'], delayMs: 60_000 });
  world.advance(59_999);
  await schedulePass(world, 'prod', ['t1']);
  expect(world.stopped).toEqual([]);
  expect(world.woken).toContainEqual({ reason: 'a timeout', taskIds: ['t1'], delayMs: 1 });
  world.advance(1);
  await schedulePass(world, 'prod', ['t1']);
  expect(world.stopped).toEqual(['arn:t1:1']);
  expect((await store.getTask('t1'))?.stopRequested?.code).toBe('TIMEOUT');
});

it('holds although every event and every wake is silent', async () => {
  const { store, world, seen } = await started(3_600);
  world.ecsTasks.push(seen);
  world.advance(3_600_000 - 30_000);
  const cluster = (await store.getCluster('prod')) ?? aCluster();
  await reconcileCluster(world, cluster);
  expect(world.stopped).toEqual([]);
  expect(world.woken).toContainEqual({ reason: 'a timeout', taskIds: ['t1'], delayMs: 30_000 });
  world.advance(60_000);
  await reconcileCluster(world, cluster);
  expect(world.stopped).toEqual(['arn:t1:1']);
});
