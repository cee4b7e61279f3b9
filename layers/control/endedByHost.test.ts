import { expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { claimRequest } from '../../test/contract/store/world.ts';
import { aCluster, aHost, aTask } from '../../test/support/records.ts';
import { observeTask } from './observeTask.ts';
import { fakeWorld } from './testWorld.ts';

/** A task of one attempt whose process ends by SIGTERM, that nobody asked to stop. */
async function signalled(exitCode = 143) {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  await store.ensureCluster(aCluster());
  const [host, task] = [aHost(), aTask()];
  await store.addHost(host);
  await store.acceptTask(task);
  await store.claim(claimRequest(host, [task]));
  const seen = {
    ref: { taskId: task.taskId, attempt: 1 },
    cluster: host.cluster,
    ecsTaskArn: 'arn:1',
    version: 3,
    lastStatus: 'STOPPED',
    desiredStatus: 'STOPPED',
    cause: 'EXIT_NONZERO' as const,
    detail: 'Essential container in task exited',
    exitCode,
    startedAt: world.clock.now() - 5_000,
    stoppedAt: world.clock.now(),
  };
  const leave = (to: 'TERMINATING' | 'DRAINING', reason: string) =>
    store.setHostState(host.cluster, host.hostId, { from: ['READY'], to, reason });
  return { world, leave, observe: () => observeTask(world, seen), task: () => store.getTask(task.taskId) };
}

it('charges nobody for a process that a leaving host has ended', async () => {
  const lost = await signalled();
  await lost.leave('TERMINATING', 'idle for 60 s');
  expect(await lost.observe()).toBe('freed');
  expect(await lost.task()).toMatchObject({
    state: 'PENDING',
    attemptsUsed: 0,
    reason: { cause: 'HOST_LOST' },
  });

  const taken = await signalled(137);
  await taken.leave('DRAINING', 'EC2 announced a Spot interruption');
  await taken.observe();
  expect(await taken.task()).toMatchObject({ attemptsUsed: 0, reason: { cause: 'SPOT_INTERRUPTION' } });
});

it('waits until it is known whether the host leaves, and takes it for the process’s own doing if not', async () => {
  const own = await signalled();
  expect(await own.observe()).toBe('ignored');
  expect(await own.task()).toMatchObject({ state: 'PLACED' });
  own.world.advance(60_000);
  expect(await own.observe()).toBe('freed');
  expect(await own.task()).toMatchObject({ reason: { cause: 'EXIT_NONZERO' } });
});

it('takes a process that was killed on a host that stays for one that failed, at once', async () => {
  const killed = await signalled(137);
  expect(await killed.observe()).toBe('freed');
  expect(await killed.task()).toMatchObject({ reason: { cause: 'EXIT_NONZERO' } });
});
