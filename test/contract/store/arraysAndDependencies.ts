import { describe, expect, it } from 'vitest';
import { placed, type StoreWorld } from './world.ts';

export function arraysAndDependenciesContract(world: StoreWorld): void {
  describe('arrays', () => {
    it('end once, when every member has, however often and in whatever order that is told', async () => {
      const array = { arrayId: 't1', size: 230 };
      const record = {
        ...array,
        cluster: 'prod',
        source: 'shop',
        idempotencyKey: 'key',
        createdAt: 1,
        expiresAt: 9,
      };
      await world.store.openArray(record);
      const count = (index: number, nowMs = 5) =>
        world.store.countArrayMember({
          array,
          index,
          end: index % 10 === 0 ? 'failed' : 'succeeded',
          nowMs,
          expiresAt: 9,
        });
      for (const index of [229, 0, 0, 150, 150]) await count(index);
      await Promise.all(Array.from({ length: 229 }, (_, n) => count(n)));
      await world.store.openArray({ ...record, createdAt: 2 });
      expect(await world.store.getArray('t1')).toEqual({
        ...record,
        endedAt: 5,
        succeeded: 207,
        failed: 23,
        cancelled: 0,
      });
      await count(7, 99);
      expect((await world.store.getArray('t1'))?.endedAt).toBe(5);
      expect(await world.store.getArray('t2')).toBeUndefined();
    });

    it('do not end while one member has not', async () => {
      const array = { arrayId: 't1', size: 2 };
      await world.store.openArray({
        ...array,
        cluster: 'prod',
        source: 'shop',
        idempotencyKey: 'key',
        createdAt: 1,
        expiresAt: 9,
      });
      const member = { array, index: 1, end: 'succeeded', nowMs: 5, expiresAt: 9 } as const;
      for (let n = 0; n < 3; n += 1) await world.store.countArrayMember(member);
      expect((await world.store.getArray('t1'))?.endedAt).toBeUndefined();
    });
  });

  describe('dependencies', () => {
    it('keeps blocked tasks out of the queue and lets each into it once', async () => {
      const blocked = await world.accepted({ taskId: 'later', state: 'BLOCKED' });
      expect((await world.store.listPending('prod', 9)).tasks).toEqual([]);
      expect(await world.store.listBlocked('prod', 9)).toEqual({ tasks: [blocked], more: false });
      expect(await world.store.unblockTask('later')).toMatchObject({
        outcome: 'applied',
        current: { state: 'PENDING' },
      });
      expect((await world.store.unblockTask('later')).outcome).toBe('refused');
      expect((await world.store.listPending('prod', 9)).tasks.map(({ taskId }) => taskId)).toEqual(['later']);
      expect((await world.store.listBlocked('prod', 9)).tasks).toEqual([]);
    });

    it('shows whoever ends a task that others wait for it', async () => {
      await world.accepted();
      const dependents = ['b', 'a'].map((taskId) => ({ taskId, expiresAt: 9 }));
      for (const dependent of [...dependents, ...dependents]) {
        expect(await world.store.addDependent('t1', dependent)).toMatchObject({ hasDependents: true });
      }
      expect(await world.store.listDependents('t1')).toEqual(['a', 'b']);
      expect(await world.store.listDependents('t2')).toEqual([]);
      expect(await world.store.addDependent('nobody', { taskId: 'a', expiresAt: 9 })).toBeUndefined();
      const end = { state: 'SUCCEEDED', endedAt: 1, reason: placed } as const;
      const ended = await world.store.finishTask({ taskId: 't1', attempt: 1 }, end);
      expect(ended.current?.hasDependents).toBe(true);
    });
  });
}
