import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../../local/sim/memoryStore.ts';
import { aCluster, aHost, aTask } from '../../../test/support/records.ts';
import type { LaunchOutcome } from '../../ports/containers.ts';
import { observeTask } from '../observeTask.ts';
import { schedulePass } from '../schedulePass.ts';
import { fakeWorld } from '../testWorld.ts';
import { cancelTask } from './cancel.ts';

async function accepted() {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  await store.ensureCluster(aCluster());
  await store.addHost(aHost());
  await store.acceptTask(aTask());
  const seen = (lastStatus: string, over = {}) =>
    observeTask(world, {
      cluster: 'prod',
      ecsTaskArn: 'arn:t1:1',
      ref: { taskId: 't1', attempt: 1 },
      version: lastStatus === 'STOPPED' ? 9 : 2,
      lastStatus,
      desiredStatus: lastStatus,
      ...over,
    });
  const stopped = () => seen('STOPPED', { cause: 'STOPPED_BY_USER', detail: 'stopped', exitCode: 143 });
  const isCancelled = async () => {
    expect(await store.getTask('t1')).toMatchObject({ state: 'CANCELLED', reason: { cause: 'CANCELLED' } });
    expect((await store.getHost('prod', aHost().hostId))?.claims).toEqual({});
    expect((await store.listPending('prod', 9)).tasks).toEqual([]);
  };
  return { store, world, seen, stopped, isCancelled };
}

describe('a cancellation', () => {
  it('ends a task in the queue at once', async () => {
    const { world, isCancelled } = await accepted();
    expect((await cancelTask(world, 't1', 'no longer wanted')).outcome).toBe('cancelled');
    await isCancelled();
    expect((await cancelTask(world, 't1', 'again')).outcome).toBe('ended');
    expect((await cancelTask(world, 'nobody', '')).outcome).toBe('unknown');
  });

  it('stops an attempt whose launch is still open as soon as its answer comes', async () => {
    const { world, stopped, isCancelled } = await accepted();
    const { launch } = world.containers;
    world.containers.launch = async (): Promise<LaunchOutcome> => ({
      outcome: 'unknown',
      detail: 'timed out',
    });
    await schedulePass(world, 'prod', ['t1']);
    expect((await cancelTask(world, 't1', 'no longer wanted')).outcome).toBe('stopping');
    expect(world.stopped).toEqual([]);
    world.containers.launch = launch;
    await schedulePass(world, 'prod', ['t1']);
    expect(world.stopped).toEqual(['arn:t1:1']);
    await stopped();
    await isCancelled();
  });

  it('ends a task whose open launch is refused', async () => {
    const { world, isCancelled } = await accepted();
    world.containers.launch = async () => ({ outcome: 'throttled', detail: 'slow down' });
    await schedulePass(world, 'prod', ['t1']);
    await cancelTask(world, 't1', 'no longer wanted');
    world.containers.launch = async () => ({ outcome: 'refused', code: 'RESOURCE:CPU', detail: '' });
    await schedulePass(world, 'prod', ['t1']);
    await isCancelled();
  });

  it.each(['PENDING', 'RUNNING'])('stops an attempt that ECS calls %s', async (lastStatus) => {
    const { world, seen, stopped, isCancelled } = await accepted();
    await schedulePass(world, 'prod', ['t1']);
    await seen(lastStatus, { startedAt: world.clock.now() });
    expect((await cancelTask(world, 't1', 'no longer wanted')).outcome).toBe('stopping');
    expect(world.stopped).toEqual(['arn:t1:1']);
    await stopped();
    await isCancelled();
  });

  it('ends a task that backs off between attempts', async () => {
    const { store, world, seen, isCancelled } = await accepted();
    await schedulePass(world, 'prod', ['t1']);
    await seen('STOPPED', { cause: 'EXIT_NONZERO', exitCode: 1 });
    expect(await store.getTask('t1')).toMatchObject({ state: 'PENDING', attempt: 2 });
    expect((await cancelTask(world, 't1', 'no longer wanted')).outcome).toBe('cancelled');
    await isCancelled();
  });

  it('lets a task that succeeded before the stop came keep its success', async () => {
    const { store, world, seen } = await accepted();
    await schedulePass(world, 'prod', ['t1']);
    await seen('RUNNING', { startedAt: world.clock.now() });
    await cancelTask(world, 't1', 'no longer wanted');
    await seen('STOPPED', { cause: 'EXIT_ZERO', exitCode: 0 });
    expect((await store.getTask('t1'))?.state).toBe('SUCCEEDED');
  });
});
