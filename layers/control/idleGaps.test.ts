import { expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aHost, aPool, aTask, aTaskSpec } from '../../test/support/records.ts';
import { observeTask } from './observeTask.ts';
import { PassMemory } from './passMemory.ts';
import { schedulePass } from './schedulePass.ts';
import { fakeWorld } from './testWorld.ts';

async function running() {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  await store.ensureCluster(aCluster({ pools: [aPool({ idleHostMs: 60_000 })] }));
  const now = world.clock.now();
  await store.addHost(aHost({ launchedAt: now - 3_600_000, idleSince: now }));
  const memory = new PassMemory();
  const recorded = async () => (await store.getCluster('prod'))?.pools[0]?.idleGapsMs;
  const use = async (n: number, afterMs: number) => {
    world.advance(afterMs);
    const taskId = `t${n}`;
    await store.acceptTask(aTask({ taskId, spec: aTaskSpec() }));
    await schedulePass(world, 'prod', [taskId], { memory });
    await observeTask(world, {
      cluster: 'prod',
      ecsTaskArn: `arn:${taskId}:1`,
      ref: { taskId, attempt: 1 },
      version: 9,
      lastStatus: 'STOPPED',
      desiredStatus: 'STOPPED',
      cause: 'EXIT_ZERO',
      detail: 'done',
      exitCode: 0,
    });
  };
  return { store, world, memory, recorded, use };
}

it('keeps what it observes until it is worth a write, and scale-in then waits by it', async () => {
  const { store, world, memory, recorded, use } = await running();
  for (let n = 0; n < 7; n += 1) await use(n, 11_000);
  expect(await recorded()).toBeUndefined();
  await use(7, 11_000);
  expect(await recorded()).toEqual(Array(8).fill(11_000));
  world.advance(10_999);
  await schedulePass(world, 'prod', [], { memory });
  expect((await store.listHosts('prod'))[0]?.state).toBe('READY');
  world.advance(1);
  await schedulePass(world, 'prod', [], { memory });
  expect((await store.listHosts('prod'))[0]).toMatchObject({
    state: 'TERMINATING',
    stateReason: expect.stringContaining('by the gaps it has observed'),
  });
  // It did not wait in full: whether it would have been needed nobody knows.
  expect(await recorded()).toEqual(Array(8).fill(11_000));
});

it('takes it as never needed again when a host has waited in full', async () => {
  const { store, world, memory, recorded } = await running();
  world.advance(60_000);
  await schedulePass(world, 'prod', [], { memory });
  expect((await store.listHosts('prod'))[0]?.state).toBe('TERMINATING');
  expect(await recorded()).toEqual([86_400_000]);
});
