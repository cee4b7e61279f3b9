import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aHost, aPool, aTask, aTaskSpec } from '../../test/support/records.ts';
import { HOLD_MS, holdKey } from '../domain/lifecycle/hold.ts';
import type { Task } from '../domain/model/task.ts';
import { explainTask } from './operate/explain.ts';
import { schedulePass } from './schedulePass.ts';
import { settleAttempt } from './settleAttempt.ts';
import { fakeWorld } from './testWorld.ts';

const demand = { cpu: 1024, memory: 1024 };

async function fullHost() {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  await store.ensureCluster(aCluster({ pools: [aPool({ maxHosts: 1 })] }));
  const size = { cpu: 2048, memory: 2048 };
  await store.addHost(aHost({ hostId: 'i-1', capacity: size, left: size }));
  const accept = (taskId: string, over: Partial<Task['spec']> = {}) =>
    store.acceptTask(aTask({ taskId, spec: aTaskSpec({ demand, ...over }), acceptedAt: world.clock.now() }));
  for (const taskId of ['low1', 'low2']) await accept(taskId, { interruptible: true });
  await schedulePass(world, 'prod', ['low1', 'low2']);
  return { store, world, accept };
}

const stopped = { cause: 'EXIT_NONZERO', detail: 'exit code 143', exitCode: 143 } as const;

describe('a preemption', () => {
  it('stops no more than it needs, holds what they set free against a third task, and counts no attempt', async () => {
    const { store, world, accept } = await fullHost();
    await accept('urgent', { priority: 10 });
    const report = await schedulePass(world, 'prod', ['urgent']);
    expect(report.preempted).toBe(1);
    expect(world.stopped).toHaveLength(1);
    const host = await store.getHost('prod', 'i-1');
    const victimId = Object.values(host?.claims ?? {}).find(({ heir }) => heir === 'urgent')?.taskId ?? '';
    expect(await store.getTask(victimId)).toMatchObject({ stopRequested: { code: 'PREEMPTED' }, attempt: 1 });
    expect((await explainTask(world, 'urgent'))?.summary).toMatch(
      /its place on i-1 is held: 1 less urgent task/,
    );
    expect((await explainTask(world, victimId))?.summary).toMatch(/launched on i-1/);

    // Another pass asks for no second stop; a third task, more urgent even, finds no room.
    await accept('third', { priority: 20 });
    const victim = (await store.getTask(victimId)) as Task;
    await settleAttempt(world, victim, stopped);
    expect((await store.getHost('prod', 'i-1'))?.left).toEqual({ cpu: 0, memory: 0 });
    expect(await store.getTask(victimId)).toMatchObject({ state: 'PENDING', attempt: 2, attemptsUsed: 0 });

    await schedulePass(world, 'prod', ['third', victimId]);
    expect(await store.getTask('urgent')).toMatchObject({ state: 'PLACED', hostId: 'i-1' });
    const after = await store.getHost('prod', 'i-1');
    expect(after?.claims[holdKey('urgent')]).toBeUndefined();
    expect(after?.claims.urgent?.demand).toEqual(demand);
    expect(after?.left).toEqual({ cpu: 0, memory: 0 });
  });

  it('is finished by the next pass when it was cut off before the stop', async () => {
    const { store, world, accept } = await fullHost();
    await accept('urgent', { priority: 10 });
    const stop = store.requestStop;
    store.requestStop = () => Promise.reject(new Error('cut off'));
    await expect(schedulePass(world, 'prod', ['urgent'])).rejects.toThrow('cut off');
    store.requestStop = stop;
    expect(world.stopped).toHaveLength(0);
    await schedulePass(world, 'prod', []);
    expect(world.stopped).toHaveLength(1);
  });

  it('gives the place back when the preemptor is cancelled or its victims take too long', async () => {
    for (const end of ['cancelled', 'late'] as const) {
      const { store, world, accept } = await fullHost();
      await accept('urgent', { priority: 10 });
      await schedulePass(world, 'prod', ['urgent']);
      if (end === 'late') world.advance(HOLD_MS);
      else {
        await store.finishTask(
          { taskId: 'urgent', attempt: 1 },
          { state: 'CANCELLED', endedAt: 0, reason: { code: 'STOPPED', cause: 'CANCELLED', detail: '' } },
        );
      }
      await schedulePass(world, 'prod', []);
      const host = await store.getHost('prod', 'i-1');
      expect(Object.keys(host?.claims ?? {}).sort()).toEqual(['low1', 'low2']);
      expect(host?.left).toEqual({ cpu: 0, memory: 0 });
    }
  });
});
