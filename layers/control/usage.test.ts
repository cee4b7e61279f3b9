import { expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aHost, aTask, aTaskSpec } from '../../test/support/records.ts';
import { sourceTag } from '../domain/model/host.ts';
import { explainTask } from './operate/explain.ts';
import { schedulePass } from './schedulePass.ts';
import { fakeWorld } from './testWorld.ts';

async function worldOf(sources: readonly string[]) {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  await store.ensureCluster(aCluster());
  await store.addHost(aHost({ capacity: { cpu: 1024, memory: 2048 }, left: { cpu: 1024, memory: 2048 } }));
  for (const [index, source] of sources.entries()) {
    await store.acceptTask(
      aTask({
        taskId: `t${index}`,
        source,
        acceptedAt: index,
        spec: aTaskSpec({ demand: { cpu: 256, memory: 1 } }),
      }),
    );
  }
  return { store, world };
}

it('writes nothing for a source that has the cluster to itself', async () => {
  const { store, world } = await worldOf(['shop', 'shop']);
  await schedulePass(world, 'prod', []);
  world.advance(60_000);
  await schedulePass(world, 'prod', []);
  expect((await store.getCluster('prod'))?.usage).toBeUndefined();
});

it('brings usage forward at most every half minute, and gives places by weight', async () => {
  const { store, world } = await worldOf(['shop', 'shop', 'shop', 'shop', 'shop', 'reports', 'reports']);
  await store.setWeight('prod', 'shop', 3);
  await schedulePass(world, 'prod', []);
  const placed = (await store.getTasks(['t0', 't1', 't2', 't3', 't4', 't5', 't6'])).filter(
    ({ state }) => state === 'PLACED',
  );
  expect(placed.map(({ source }) => source).toSorted()).toEqual(['reports', 'shop', 'shop', 'shop']);
  const began = (await store.getCluster('prod'))?.usage;
  expect(began?.bySource).toEqual({});
  world.advance(10_000);
  await schedulePass(world, 'prod', []);
  expect((await store.getCluster('prod'))?.usage).toEqual(began);
  world.advance(3_590_000);
  await schedulePass(world, 'prod', []);
  const bySource = (await store.getCluster('prod'))?.usage?.bySource ?? {};
  expect(bySource[sourceTag('shop')]).toBeCloseTo(0.375);
  expect(bySource[sourceTag('reports')]).toBeCloseTo(0.125);
});

it('tells a waiting task what its source’s turn depends on', async () => {
  const { world } = await worldOf(['shop', 'shop', 'shop', 'shop', 'shop', 'reports']);
  await schedulePass(world, 'prod', []);
  expect((await explainTask(world, 't4'))?.share).toBe(
    'shop holds 75 % of the cluster and has used 0 % of it lately, at weight 1',
  );
});
