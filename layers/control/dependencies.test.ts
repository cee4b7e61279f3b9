import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aHost } from '../../test/support/records.ts';
import { parseTaskRequest } from '../events/taskRequested/parse.ts';
import { acceptRequest } from './accept.ts';
import { settleBlocked } from './dependencies.ts';
import { cancelTask } from './operate/cancel.ts';
import { explainTask } from './operate/explain.ts';
import { reconcileCluster } from './reconcile/reconcileCluster.ts';
import { schedulePass } from './schedulePass.ts';
import { settleAttempt } from './settleAttempt.ts';
import { taskIdOf } from './taskId.ts';
import { fakeWorld } from './testWorld.ts';

async function cluster() {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  await store.ensureCluster(aCluster());
  await store.addHost(aHost());
  const accept = async (idempotencyKey: string, after: readonly object[] = [], over = {}) => {
    const parsed = parseTaskRequest({ cluster: 'prod', taskDefinition: 'web', after, ...over });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return acceptRequest(world, parsed.value, { source: 'shop', idempotencyKey });
  };
  const one = async (key: string, after: readonly object[] = []) => {
    const accepted = await accept(key, after);
    if (accepted.outcome === 'rejected') throw new Error(JSON.stringify(accepted.problems));
    return accepted.tasks[0]?.taskId ?? '';
  };
  const end = async (taskId: string, cause: 'EXIT_ZERO' | 'EXIT_NONZERO') => {
    await schedulePass(world, 'prod', [taskId]);
    const task = await store.getTask(taskId);
    if (task) await settleAttempt(world, task, { cause, detail: cause });
  };
  const stateOf = async (taskId: string) => (await store.getTask(taskId))?.state;
  return { store, world, accept, one, end, stateOf };
}

describe('a task that waits for others', () => {
  it('stays out of the queue until all have ended, and then runs once', async () => {
    const { store, world, one, end, stateOf } = await cluster();
    const [first, second] = [await one('first'), await one('second')];
    const third = await one('third', [{ taskId: first }, { taskId: second }]);
    expect(await stateOf(third)).toBe('BLOCKED');
    expect((await store.listPending('prod', 9)).tasks.map(({ taskId }) => taskId)).not.toContain(third);
    expect((await explainTask(world, third))?.summary).toMatch(/waits for 2 of 2 tasks/);
    await end(first, 'EXIT_ZERO');
    expect(await stateOf(third)).toBe('BLOCKED');
    await end(second, 'EXIT_ZERO');
    expect(await stateOf(third)).toBe('PENDING');
    expect(world.woken.filter(({ taskIds }) => taskIds.includes(third))).toHaveLength(1);
    const task = await store.getTask(second);
    if (task) await settleAttempt(world, task, { cause: 'EXIT_ZERO', detail: 'again' });
    expect(world.woken.filter(({ taskIds }) => taskIds.includes(third))).toHaveLength(1);
    await end(third, 'EXIT_ZERO');
    expect(await stateOf(third)).toBe('SUCCEEDED');
    expect(world.launched.filter(({ clientToken }) => clientToken.startsWith(third))).toHaveLength(1);
  });

  it('waits member by member for another array, each only for its own index', async () => {
    const { store, accept, end, stateOf } = await cluster();
    const array = { count: 3, array: true };
    const first = await accept('first', [], array);
    const arrayId = taskIdOf('shop', 'first', 0);
    const second = await accept('second', [{ taskId: taskIdOf('shop', 'first', 2), byIndex: true }], array);
    if (first.outcome === 'rejected' || second.outcome === 'rejected') throw new Error('rejected');
    const members = second.tasks.map(({ taskId }) => taskId);
    expect((await store.getTask(members[1] ?? ''))?.spec.after).toEqual([
      { taskId: taskIdOf('shop', 'first', 1), condition: 'success' },
    ]);
    await end(taskIdOf('shop', 'first', 1), 'EXIT_ZERO');
    expect(await Promise.all(members.map(stateOf))).toEqual(['BLOCKED', 'PENDING', 'BLOCKED']);
    await end(arrayId, 'EXIT_NONZERO');
    expect(await Promise.all(members.map(stateOf))).toEqual(['FAILED', 'PLACED', 'BLOCKED']);
    const repeated = await accept('second', [{ taskId: arrayId, byIndex: true }], array);
    expect(repeated).toMatchObject({ outcome: 'accepted', duplicates: 3 });
  });

  it('refuses to wait by index for what is no array, of another size, or not its own kind', async () => {
    const { accept, one, store, world } = await cluster();
    await accept('first', [], { count: 3, array: true });
    const arrayId = taskIdOf('shop', 'first', 0);
    const single = await one('single');
    const problemsOf = async (taskId: string, over: object) => {
      const answer = await accept('second', [{ taskId, byIndex: true }], over);
      return answer.outcome === 'rejected' ? answer.problems : [];
    };
    expect(await problemsOf(arrayId, { count: 3 })).toMatchObject([
      { field: 'after[0].byIndex', fix: 'Set array to true, or leave byIndex out.' },
    ]);
    expect(await problemsOf(single, { count: 3, array: true })).toMatchObject([
      { field: 'after[0].taskId', fix: 'Name a task of an array, or leave byIndex out.' },
    ]);
    expect(await problemsOf(arrayId, { count: 4, array: true })).toMatchObject([
      {
        field: 'count',
        rule: expect.stringContaining('has 3 members and this one 4'),
        fix: expect.stringMatching(/^Write 3/),
      },
    ]);
    // A member whose record is still on its way is no mistake of whoever asks.
    const late = taskIdOf('shop', 'first', 2);
    const getTasks = store.getTasks.bind(store);
    world.store.getTasks = async (ids) => (await getTasks(ids)).filter(({ taskId }) => taskId !== late);
    await expect(
      accept('third', [{ taskId: arrayId, byIndex: true }], { count: 3, array: true }),
    ).rejects.toThrow('still being recorded');
  });

  it('ends as failed or cancelled with what it needed, down the whole chain, unless it only wanted an end', async () => {
    for (const [how, state] of [
      ['fails', 'FAILED'],
      ['is cancelled', 'CANCELLED'],
    ] as const) {
      const { store, world, one, end, stateOf } = await cluster();
      const first = await one('first');
      const second = await one('second', [{ taskId: first }]);
      const third = await one('third', [{ taskId: second }]);
      const anyway = await one('anyway', [{ taskId: second, condition: 'completion' }]);
      if (how === 'fails') await end(first, 'EXIT_NONZERO');
      else await cancelTask(world, first, 'no longer wanted');
      expect([await stateOf(first), await stateOf(second), await stateOf(third)]).toEqual([
        state,
        state,
        state,
      ]);
      expect(await stateOf(anyway)).toBe('PENDING');
      expect((await store.getTask(third))?.reason).toMatchObject({
        code: 'DEPENDENCY_FAILED',
        detail: expect.stringContaining(second),
      });
    }
  });

  it('need not wait for what has ended, and learns at once of what has failed', async () => {
    const { one, end, stateOf } = await cluster();
    const [good, bad] = [await one('good'), await one('bad')];
    await end(good, 'EXIT_ZERO');
    await end(bad, 'EXIT_NONZERO');
    expect(await stateOf(await one('after good', [{ taskId: good }]))).toBe('PENDING');
    expect(await stateOf(await one('after bad', [{ taskId: bad }]))).toBe('FAILED');
    expect(await stateOf(await one('after all', [{ taskId: bad, condition: 'completion' }]))).toBe('PENDING');
  });

  it('is released by reconcile when the end of the other was recorded and no more', async () => {
    const { store, world, one, stateOf } = await cluster();
    const first = await one('first');
    const second = await one('second', [{ taskId: first }]);
    await store.finishTask(
      { taskId: first, attempt: 1 },
      { state: 'SUCCEEDED', endedAt: 1, reason: { code: 'STOPPED', cause: 'EXIT_ZERO', detail: '' } },
    );
    expect(await stateOf(second)).toBe('BLOCKED');
    const repairs = await reconcileCluster(world, (await store.getCluster('prod')) ?? aCluster());
    expect(repairs.dependentsReleased).toBe(1);
    expect(await stateOf(second)).toBe('PENDING');
  });

  it('misses no end that falls between the look and the record', async () => {
    const { store, one, end, stateOf } = await cluster();
    const first = await one('first');
    const { acceptTask } = store;
    store.acceptTask = async (task) => {
      store.acceptTask = acceptTask;
      await end(first, 'EXIT_ZERO');
      return acceptTask(task);
    };
    expect(await stateOf(await one('second', [{ taskId: first }]))).toBe('PENDING');
  });

  it('can be cancelled', async () => {
    const { world, one, end, stateOf } = await cluster();
    const first = await one('first');
    const second = await one('second', [{ taskId: first }]);
    expect((await cancelTask(world, second, 'no longer wanted')).outcome).toBe('cancelled');
    await end(first, 'EXIT_ZERO');
    expect(await stateOf(second)).toBe('CANCELLED');
  });

  it('is refused when it would wait for itself, for one that is unknown, or in too many ways', async () => {
    const { accept, one } = await cluster();
    const self = taskIdOf('shop', 'self', 0);
    const fieldsOf = async (after: readonly object[], over = {}) => {
      const answer = await accept('self', after, over);
      return answer.outcome === 'rejected' ? answer.problems.map(({ field }) => field) : [];
    };
    expect(await fieldsOf([{ taskId: self }])).toEqual(['after[0].taskId']);
    const known = await one('known');
    expect(await fieldsOf([{ taskId: known }, { taskId: 'unknown' }])).toEqual(['after[1].taskId']);
    const twenty = Array.from({ length: 20 }, () => ({ taskId: known }));
    expect(await fieldsOf(twenty, { count: 1_000 })).toEqual(['after']);
    await accept('self', [], { count: 1 });
    expect(await fieldsOf([{ taskId: self }], { count: 2 })).toEqual(['after[0].taskId']);
  });
});

it('settles nothing twice', async () => {
  const { store, world, one } = await cluster();
  const task = await store.getTask(await one('first'));
  expect(task && (await settleBlocked(world, [task]))).toBe(0);
});
