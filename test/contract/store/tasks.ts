import { describe, expect, it } from 'vitest';
import type { Reason } from '../../../layers/domain/model/reason.ts';
import { aTask, aTaskSpec } from '../../support/records.ts';
import { claimRequest, failed, placed, type StoreWorld } from './world.ts';

export function tasksContract(world: StoreWorld): void {
  describe('tasks', () => {
    it('accepts a task once and shows a duplicate the first record', async () => {
      const first = aTask({ spec: aTaskSpec({ tags: { team: 'shop' }, timeoutSeconds: 60 }) });
      expect(await world.store.acceptTask(first)).toEqual({ outcome: 'accepted', task: first });
      const again = await world.store.acceptTask(aTask({ source: 'somebody else' }));
      expect(again).toEqual({ outcome: 'duplicate', task: first });
      expect(await world.store.getTask('t1')).toEqual(first);
      expect(await world.store.getTask('nobody')).toBeUndefined();
    });

    it('reads any number of tasks in the order asked for, without the unknown', async () => {
      const ids = Array.from({ length: 120 }, (_, index) => `t${index}`);
      await Promise.all(ids.map((taskId) => world.accepted({ taskId })));
      const read = await world.store.getTasks([...ids.toReversed(), 'nobody', 't1']);
      expect(read.map(({ taskId }) => taskId)).toEqual(ids.toReversed());
      expect(await world.store.getTasks([])).toEqual([]);
    });

    it('queues by priority, then age, over all cells, and says when there is more', async () => {
      const queue: [string, number, number][] = [
        ['late', 0, 300],
        ['urgent', 10, 400],
        ['early', 0, 100],
        ['lowest', -1000, 1],
        ['highest', 1000, 500],
        ['between', 0, 200],
      ];
      for (const [taskId, priority, acceptedAt] of queue) {
        await world.accepted({ taskId, acceptedAt, spec: aTaskSpec({ priority }) });
      }
      await world.accepted({ taskId: 'elsewhere', cluster: 'test' });
      const all = await world.store.listPending('prod', 6);
      expect(all.tasks.map(({ taskId }) => taskId)).toEqual([
        'highest',
        'urgent',
        'early',
        'between',
        'late',
        'lowest',
      ]);
      expect(all.more).toBe(false);
      const some = await world.store.listPending('prod', 2);
      expect(some.tasks.map(({ taskId }) => taskId)).toEqual(['highest', 'urgent']);
      expect(some.more).toBe(true);
    });

    it('records a wait for the queued attempt only, the same one again without a change', async () => {
      const task = await world.accepted();
      const reason: Reason = { code: 'BACKOFF', detail: 'after exit code 1', cause: 'EXIT_NONZERO' };
      const ref = { taskId: 't1', attempt: 1 };
      expect(await world.store.recordWait(ref, reason)).toEqual({
        outcome: 'applied',
        current: { ...task, reason },
      });
      expect(await world.store.recordWait(ref, reason)).toEqual({
        outcome: 'applied',
        current: { ...task, reason },
      });
      expect(await world.store.recordWait({ taskId: 't1', attempt: 2 }, placed)).toEqual({
        outcome: 'refused',
        current: { ...task, reason },
      });
      expect(await world.store.recordWait({ taskId: 'nobody', attempt: 1 }, placed)).toEqual({
        outcome: 'refused',
        current: undefined,
      });
    });

    it('records a launch once, repeats it for the same ARN and refuses another', async () => {
      const { ref } = await world.placedTask();
      const doubt = await world.store.recordLaunchUnknown(ref, 'timed out');
      expect(doubt.current?.reason).toEqual({ code: 'LAUNCH_UNKNOWN', detail: 'timed out' });
      const launch = await world.store.recordLaunch(ref, 'arn:1');
      expect(launch).toMatchObject({
        outcome: 'applied',
        current: { ecsTaskArn: 'arn:1', state: 'PLACED' },
      });
      expect(launch.current?.reason.code).toBe('PLACED');
      expect((await world.store.recordLaunch(ref, 'arn:1')).outcome).toBe('applied');
      expect(await world.store.recordLaunch(ref, 'arn:2')).toMatchObject({
        outcome: 'refused',
        current: { ecsTaskArn: 'arn:1' },
      });
    });

    it('keeps the reason of the placement through a launch that was never in doubt', async () => {
      const { ref } = await world.placedTask();
      expect((await world.store.recordLaunch(ref, 'arn:1')).current?.reason).toEqual(placed);
    });

    it('applies ECS versions in order only', async () => {
      const { ref } = await world.placedTask();
      const seen = { ecsTaskArn: 'arn:1', ecsVersion: 3, startedAt: 5 };
      expect(await world.store.recordRunning(ref, seen)).toMatchObject({
        outcome: 'applied',
        current: { state: 'RUNNING', ...seen },
      });
      expect((await world.store.recordRunning(ref, seen)).outcome).toBe('refused');
      expect((await world.store.recordRunning(ref, { ...seen, ecsVersion: 4 })).outcome).toBe('applied');
      expect(
        (await world.store.recordRunning({ ...ref, attempt: 2 }, { ...seen, ecsVersion: 5 })).outcome,
      ).toBe('refused');
    });

    it('finishes a live attempt once and takes it out of the queue', async () => {
      const task = await world.accepted();
      const end = { state: 'CANCELLED', reason: failed, endedAt: 9, exitCode: 1 } as const;
      const ref = { taskId: 't1', attempt: 1 };
      expect((await world.store.finishTask(ref, { ...end, ifState: ['PLACED', 'RUNNING'] })).outcome).toBe(
        'refused',
      );
      expect((await world.store.finishTask(ref, { ...end, ifState: [] })).outcome).toBe('refused');
      expect((await world.store.finishTask({ ...ref, attempt: 2 }, end)).outcome).toBe('refused');
      expect(await world.store.finishTask(ref, { ...end, ifState: ['PENDING'] })).toEqual({
        outcome: 'applied',
        current: { ...task, ...end },
      });
      expect((await world.store.finishTask(ref, end)).outcome).toBe('refused');
      expect(await world.store.listPending('prod', 10)).toEqual({ tasks: [], more: false });
    });

    it('requeues a placed attempt as the next one, clean of the old, back at its age', async () => {
      const { task, ref } = await world.placedTask();
      expect((await world.store.listPending('prod', 10)).tasks).toEqual([]);
      await world.store.recordRunning(ref, { ecsTaskArn: 'arn:1', ecsVersion: 1, startedAt: 5 });
      const next = { cause: 'EXIT_NONZERO', reason: failed, counted: true, notBefore: 77 } as const;
      const expected = { ...task, attempt: 2, attemptsUsed: 1, reason: failed, notBefore: 77 };
      expect(await world.store.requeueTask(ref, next)).toEqual({ outcome: 'applied', current: expected });
      expect((await world.store.listPending('prod', 10)).tasks).toEqual([expected]);
      expect((await world.store.requeueTask(ref, next)).outcome).toBe('refused');
    });

    it('clears the back-off with the claim, and does not count infrastructure', async () => {
      const { host, ref } = await world.placedTask();
      await world.store.requeueTask(ref, {
        cause: 'HOST_LOST',
        reason: failed,
        counted: false,
        notBefore: 5,
      });
      await world.store.releaseClaims('prod', host.hostId, [ref], 6);
      const [task] = await world.store.getTasks(['t1']);
      expect(task).toMatchObject({ attempt: 2, attemptsUsed: 0, notBefore: 5 });
      await world.store.claim(claimRequest(host, task === undefined ? [] : [task]));
      expect(await world.store.getTask('t1')).not.toHaveProperty('notBefore');
    });

    it('keeps a cancellation through a requeue and drops a preemption', async () => {
      const { ref } = await world.placedTask();
      const preempted = { code: 'PREEMPTED', detail: 'for t2' } as const;
      const cancelled = { code: 'CANCELLED', detail: 'by operator' } as const;
      const next = { cause: 'PREEMPTED', reason: failed, counted: false } as const;
      expect((await world.store.requestStop('t1', preempted)).outcome).toBe('applied');
      expect((await world.store.requestStop('t1', preempted)).outcome).toBe('refused');
      const requeued = await world.store.requeueTask(ref, next);
      expect(requeued.outcome).toBe('applied');
      expect(requeued.current).not.toHaveProperty('stopRequested');

      const host = await world.added({ hostId: 'i-2' });
      await world.store.claim(claimRequest(host, requeued.current === undefined ? [] : [requeued.current]));
      await world.store.requestStop('t1', preempted);
      expect((await world.store.requestStop('t1', cancelled)).outcome).toBe('applied');
      expect(await world.store.requestStop('t1', preempted)).toMatchObject({
        outcome: 'refused',
        current: { stopRequested: cancelled },
      });
      const second = await world.store.requeueTask({ taskId: 't1', attempt: 2 }, next);
      expect(second).toMatchObject({ outcome: 'applied', current: { stopRequested: cancelled } });
      expect((await world.store.requestStop('nobody', cancelled)).outcome).toBe('refused');
    });
  });
}
