import { describe, expect, it } from 'vitest';
import { claimRequest, type StoreWorld } from './world.ts';

const arrival = (at: number, ...taskIds: readonly string[]) => ({
  cluster: 'prod',
  at,
  taskIds,
  expiresAt: 1_791_000_000,
});

export function arrivalsContract(world: StoreWorld): void {
  const queued = async () =>
    (await world.store.listPending('prod', 9)).tasks.map(({ taskId, arriving }) => [taskId, arriving]);

  describe('arrivals', () => {
    it('keeps an arriving task beside the queue, and tells so whoever reads it', async () => {
      const task = await world.accepted({ arriving: true });
      expect(task.arriving).toBe(true);
      expect(await world.store.getTask('t1')).toEqual(task);
      expect(await world.store.acceptTask(task)).toEqual({ outcome: 'duplicate', task });
      expect(await queued()).toEqual([]);
    });

    it('queues it as it is, once', async () => {
      const { arriving: _arriving, ...task } = await world.accepted({ arriving: true });
      expect(await world.store.queueTask('t1')).toEqual({ outcome: 'applied', current: task });
      expect(await world.store.queueTask('t1')).toEqual({ outcome: 'refused', current: task });
      expect(await world.store.queueTask('t2')).toEqual({ outcome: 'refused', current: undefined });
      expect(await queued()).toEqual([['t1', undefined]]);
    });

    it('queues it with the reason why it waits, also one that is on record', async () => {
      const { arriving: _arriving, ...task } = await world.accepted({ arriving: true });
      const ref = { taskId: 't1', attempt: 1 };
      expect((await world.store.recordWait({ ...ref, attempt: 2 }, task.reason)).outcome).toBe('refused');
      expect(await queued()).toEqual([]);
      const waited = await world.store.recordWait(ref, task.reason);
      expect(waited).toEqual({ outcome: 'applied', current: task });
      expect(await queued()).toEqual([['t1', undefined]]);
    });

    it('forgets that it arrived when it is claimed or ends, and queues its next attempt', async () => {
      const host = await world.added();
      const [one, two] = [
        await world.accepted({ arriving: true }),
        await world.accepted({ taskId: 't2', arriving: true }),
      ];
      const reason = { code: 'STOPPED', detail: 'by the operator', cause: 'CANCELLED' } as const;
      await world.store.finishTask(two, { state: 'CANCELLED', reason, endedAt: 9 });
      expect(await world.store.getTask('t2')).not.toHaveProperty('arriving');
      expect(await world.store.claim(claimRequest(host, [one]))).toEqual({ outcome: 'claimed' });
      expect(await world.store.getTask('t1')).not.toHaveProperty('arriving');
      expect((await world.store.queueTask('t1')).outcome).toBe('refused');
      await world.store.requeueTask(one, { cause: 'UNKNOWN', reason, counted: false });
      expect(await queued()).toEqual([['t1', undefined]]);
    });

    it('lists what arrived in a time, oldest first, as far as asked', async () => {
      const [first, second, third] = [arrival(5, 'a'), arrival(7, 'b', 'c'), arrival(10, 'a', 'd')];
      for (const each of [third, first, second, first]) await world.store.noteArrivals(each);
      await world.store.noteArrivals({ ...first, cluster: 'test' });
      const list = (afterMs: number, untilMs: number, limit: number) =>
        world.store.listArrivals('prod', { afterMs, untilMs }, limit);
      expect(await list(0, 99, 9)).toEqual({ arrivals: [first, second, third], more: false });
      expect(await list(0, 99, 2)).toEqual({ arrivals: [first, second], more: true });
      expect(await list(5, 10, 9)).toEqual({ arrivals: [second, third], more: false });
      expect(await list(5, 9, 9)).toEqual({ arrivals: [second], more: false });
      expect(await list(10, 5, 9)).toEqual({ arrivals: [], more: false });
    });

    it('keeps two arrivals of one moment that share their first task', async () => {
      for (const each of [arrival(5, 'a', 'b'), arrival(5, 'a', 'c')]) await world.store.noteArrivals(each);
      const { arrivals } = await world.store.listArrivals('prod', { afterMs: 4, untilMs: 5 }, 9);
      expect(arrivals.flatMap(({ taskIds }) => taskIds).sort()).toEqual(['a', 'a', 'b', 'c']);
    });

    it('remembers how far arrivals have been looked after, which only grows', async () => {
      expect(await world.store.getCluster('prod')).not.toHaveProperty('arrivalsSeenAt');
      const answers = [];
      for (const at of [7, 7, 5, 8]) answers.push((await world.store.recordArrivalsSeen('prod', at)).outcome);
      expect(answers).toEqual(['applied', 'refused', 'refused', 'applied']);
      expect(await world.store.getCluster('prod')).toMatchObject({ arrivalsSeenAt: 8 });
      expect((await world.store.recordArrivalsSeen('none', 9)).outcome).toBe('refused');
    });
  });
}
