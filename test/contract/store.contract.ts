import { beforeEach, describe, expect, it } from 'vitest';
import type { Host } from '../../layers/domain/model/host.ts';
import type { Reason } from '../../layers/domain/model/reason.ts';
import type { Task } from '../../layers/domain/model/task.ts';
import type { ClaimRequest, Store } from '../../layers/ports/store.ts';
import { aCluster, aHost, anOrder, aPool, aTask, aTaskSpec } from '../support/records.ts';

const placed: Reason = { code: 'PLACED', detail: 'fits best' };
const failed: Reason = { code: 'STOPPED', detail: 'exit code 1', cause: 'EXIT_NONZERO' };

const claimRequest = (
  host: Host,
  tasks: readonly Task[],
  over: Partial<ClaimRequest> = {},
): ClaimRequest => ({
  cluster: host.cluster,
  hostId: host.hostId,
  epoch: host.epoch,
  nowMs: 1_790_000_001_000,
  reason: placed,
  tasks: tasks.map(({ taskId, attempt, spec }) => ({
    taskId,
    attempt,
    demand: spec.demand,
    hostPorts: spec.hostPorts,
    group: spec.group,
    priority: spec.priority,
    interruptible: spec.interruptible,
  })),
  ...over,
});

/** What every implementation of the store's port owes its callers. `open` gives an empty store. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  describe(`the store on ${name}`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
      await store.ensureCluster(aCluster({ cells: 3 }));
    });

    const accepted = async (over: Partial<Task> = {}): Promise<Task> =>
      (await store.acceptTask(aTask(over))).task;
    const added = async (over: Partial<Host> = {}): Promise<Host> => {
      const host = aHost(over);
      await store.addHost(host);
      return host;
    };
    const placedTask = async (): Promise<{
      host: Host;
      task: Task;
      ref: { taskId: string; attempt: number };
    }> => {
      const [host, task] = [await added(), await accepted()];
      expect(await store.claim(claimRequest(host, [task]))).toEqual({ outcome: 'claimed' });
      return { host, task, ref: { taskId: task.taskId, attempt: 1 } };
    };

    describe('tasks', () => {
      it('accepts a task once and shows a duplicate the first record', async () => {
        const first = aTask({ spec: aTaskSpec({ tags: { team: 'shop' }, timeoutSeconds: 60 }) });
        expect(await store.acceptTask(first)).toEqual({ outcome: 'accepted', task: first });
        const again = await store.acceptTask(aTask({ source: 'somebody else' }));
        expect(again).toEqual({ outcome: 'duplicate', task: first });
        expect(await store.getTask('t1')).toEqual(first);
        expect(await store.getTask('nobody')).toBeUndefined();
      });

      it('reads any number of tasks in the order asked for, without the unknown', async () => {
        const ids = Array.from({ length: 120 }, (_, index) => `t${index}`);
        await Promise.all(ids.map((taskId) => accepted({ taskId })));
        const read = await store.getTasks([...ids.toReversed(), 'nobody', 't1']);
        expect(read.map(({ taskId }) => taskId)).toEqual(ids.toReversed());
        expect(await store.getTasks([])).toEqual([]);
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
          await accepted({ taskId, acceptedAt, spec: aTaskSpec({ priority }) });
        }
        await accepted({ taskId: 'elsewhere', cluster: 'test' });
        const all = await store.listPending('prod', 6);
        expect(all.tasks.map(({ taskId }) => taskId)).toEqual([
          'highest',
          'urgent',
          'early',
          'between',
          'late',
          'lowest',
        ]);
        expect(all.more).toBe(false);
        const some = await store.listPending('prod', 2);
        expect(some.tasks.map(({ taskId }) => taskId)).toEqual(['highest', 'urgent']);
        expect(some.more).toBe(true);
      });

      it('records a wait for the queued attempt only, the same one again without a change', async () => {
        const task = await accepted();
        const reason: Reason = { code: 'BACKOFF', detail: 'after exit code 1', cause: 'EXIT_NONZERO' };
        const ref = { taskId: 't1', attempt: 1 };
        expect(await store.recordWait(ref, reason)).toEqual({
          outcome: 'applied',
          current: { ...task, reason },
        });
        expect(await store.recordWait(ref, reason)).toEqual({
          outcome: 'applied',
          current: { ...task, reason },
        });
        expect(await store.recordWait({ taskId: 't1', attempt: 2 }, placed)).toEqual({
          outcome: 'refused',
          current: { ...task, reason },
        });
        expect(await store.recordWait({ taskId: 'nobody', attempt: 1 }, placed)).toEqual({
          outcome: 'refused',
          current: undefined,
        });
      });

      it('records a launch once, repeats it for the same ARN and refuses another', async () => {
        const { ref } = await placedTask();
        const doubt = await store.recordLaunchUnknown(ref, 'timed out');
        expect(doubt.current?.reason).toEqual({ code: 'LAUNCH_UNKNOWN', detail: 'timed out' });
        const launch = await store.recordLaunch(ref, 'arn:1');
        expect(launch).toMatchObject({
          outcome: 'applied',
          current: { ecsTaskArn: 'arn:1', state: 'PLACED' },
        });
        expect(launch.current?.reason.code).toBe('PLACED');
        expect((await store.recordLaunch(ref, 'arn:1')).outcome).toBe('applied');
        expect(await store.recordLaunch(ref, 'arn:2')).toMatchObject({
          outcome: 'refused',
          current: { ecsTaskArn: 'arn:1' },
        });
      });

      it('keeps the reason of the placement through a launch that was never in doubt', async () => {
        const { ref } = await placedTask();
        expect((await store.recordLaunch(ref, 'arn:1')).current?.reason).toEqual(placed);
      });

      it('applies ECS versions in order only', async () => {
        const { ref } = await placedTask();
        const seen = { ecsTaskArn: 'arn:1', ecsVersion: 3, startedAt: 5 };
        expect(await store.recordRunning(ref, seen)).toMatchObject({
          outcome: 'applied',
          current: { state: 'RUNNING', ...seen },
        });
        expect((await store.recordRunning(ref, seen)).outcome).toBe('refused');
        expect((await store.recordRunning(ref, { ...seen, ecsVersion: 4 })).outcome).toBe('applied');
        expect((await store.recordRunning({ ...ref, attempt: 2 }, { ...seen, ecsVersion: 5 })).outcome).toBe(
          'refused',
        );
      });

      it('finishes a live attempt once and takes it out of the queue', async () => {
        const task = await accepted();
        const end = { state: 'CANCELLED', reason: failed, endedAt: 9, exitCode: 1 } as const;
        const ref = { taskId: 't1', attempt: 1 };
        expect((await store.finishTask(ref, { ...end, ifState: ['PLACED', 'RUNNING'] })).outcome).toBe(
          'refused',
        );
        expect((await store.finishTask(ref, { ...end, ifState: [] })).outcome).toBe('refused');
        expect((await store.finishTask({ ...ref, attempt: 2 }, end)).outcome).toBe('refused');
        expect(await store.finishTask(ref, { ...end, ifState: ['PENDING'] })).toEqual({
          outcome: 'applied',
          current: { ...task, ...end },
        });
        expect((await store.finishTask(ref, end)).outcome).toBe('refused');
        expect(await store.listPending('prod', 10)).toEqual({ tasks: [], more: false });
      });

      it('requeues a placed attempt as the next one, clean of the old, back at its age', async () => {
        const { task, ref } = await placedTask();
        expect((await store.listPending('prod', 10)).tasks).toEqual([]);
        await store.recordRunning(ref, { ecsTaskArn: 'arn:1', ecsVersion: 1, startedAt: 5 });
        const next = { cause: 'EXIT_NONZERO', reason: failed, counted: true, notBefore: 77 } as const;
        const expected = { ...task, attempt: 2, attemptsUsed: 1, reason: failed, notBefore: 77 };
        expect(await store.requeueTask(ref, next)).toEqual({ outcome: 'applied', current: expected });
        expect((await store.listPending('prod', 10)).tasks).toEqual([expected]);
        expect((await store.requeueTask(ref, next)).outcome).toBe('refused');
      });

      it('clears the back-off with the claim, and does not count infrastructure', async () => {
        const { host, ref } = await placedTask();
        await store.requeueTask(ref, { cause: 'HOST_LOST', reason: failed, counted: false, notBefore: 5 });
        await store.releaseClaim('prod', host.hostId, ref, 6);
        const [task] = await store.getTasks(['t1']);
        expect(task).toMatchObject({ attempt: 2, attemptsUsed: 0, notBefore: 5 });
        await store.claim(claimRequest(host, task === undefined ? [] : [task]));
        expect(await store.getTask('t1')).not.toHaveProperty('notBefore');
      });

      it('keeps a cancellation through a requeue and drops a preemption', async () => {
        const { ref } = await placedTask();
        const preempted = { code: 'PREEMPTED', detail: 'for t2' } as const;
        const cancelled = { code: 'CANCELLED', detail: 'by operator' } as const;
        const next = { cause: 'PREEMPTED', reason: failed, counted: false } as const;
        expect((await store.requestStop('t1', preempted)).outcome).toBe('applied');
        expect((await store.requestStop('t1', preempted)).outcome).toBe('refused');
        const requeued = await store.requeueTask(ref, next);
        expect(requeued.outcome).toBe('applied');
        expect(requeued.current).not.toHaveProperty('stopRequested');

        const host = await added({ hostId: 'i-2' });
        await store.claim(claimRequest(host, requeued.current === undefined ? [] : [requeued.current]));
        await store.requestStop('t1', preempted);
        expect((await store.requestStop('t1', cancelled)).outcome).toBe('applied');
        expect(await store.requestStop('t1', preempted)).toMatchObject({
          outcome: 'refused',
          current: { stopRequested: cancelled },
        });
        const second = await store.requeueTask({ taskId: 't1', attempt: 2 }, next);
        expect(second).toMatchObject({ outcome: 'applied', current: { stopRequested: cancelled } });
        expect((await store.requestStop('nobody', cancelled)).outcome).toBe('refused');
      });
    });

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
        await store.openArray(record);
        const count = (index: number, nowMs = 5) =>
          store.countArrayMember({
            array,
            index,
            end: index % 10 === 0 ? 'failed' : 'succeeded',
            nowMs,
            expiresAt: 9,
          });
        for (const index of [229, 0, 0, 150, 150]) await count(index);
        await Promise.all(Array.from({ length: 229 }, (_, n) => count(n)));
        await store.openArray({ ...record, createdAt: 2 });
        expect(await store.getArray('t1')).toEqual({
          ...record,
          endedAt: 5,
          succeeded: 207,
          failed: 23,
          cancelled: 0,
        });
        await count(7, 99);
        expect((await store.getArray('t1'))?.endedAt).toBe(5);
        expect(await store.getArray('t2')).toBeUndefined();
      });

      it('do not end while one member has not', async () => {
        const array = { arrayId: 't1', size: 2 };
        await store.openArray({
          ...array,
          cluster: 'prod',
          source: 'shop',
          idempotencyKey: 'key',
          createdAt: 1,
          expiresAt: 9,
        });
        const member = { array, index: 1, end: 'succeeded', nowMs: 5, expiresAt: 9 } as const;
        for (let n = 0; n < 3; n += 1) await store.countArrayMember(member);
        expect((await store.getArray('t1'))?.endedAt).toBeUndefined();
      });
    });

    describe('dependencies', () => {
      it('keeps blocked tasks out of the queue and lets each into it once', async () => {
        const blocked = await accepted({ taskId: 'later', state: 'BLOCKED' });
        expect((await store.listPending('prod', 9)).tasks).toEqual([]);
        expect(await store.listBlocked('prod', 9)).toEqual({ tasks: [blocked], more: false });
        expect(await store.unblockTask('later')).toMatchObject({
          outcome: 'applied',
          current: { state: 'PENDING' },
        });
        expect((await store.unblockTask('later')).outcome).toBe('refused');
        expect((await store.listPending('prod', 9)).tasks.map(({ taskId }) => taskId)).toEqual(['later']);
        expect((await store.listBlocked('prod', 9)).tasks).toEqual([]);
      });

      it('shows whoever ends a task that others wait for it', async () => {
        await accepted();
        const dependents = ['b', 'a'].map((taskId) => ({ taskId, expiresAt: 9 }));
        for (const dependent of [...dependents, ...dependents]) {
          expect(await store.addDependent('t1', dependent)).toMatchObject({ hasDependents: true });
        }
        expect(await store.listDependents('t1')).toEqual(['a', 'b']);
        expect(await store.listDependents('t2')).toEqual([]);
        expect(await store.addDependent('nobody', { taskId: 'a', expiresAt: 9 })).toBeUndefined();
        const end = { state: 'SUCCEEDED', endedAt: 1, reason: placed } as const;
        const ended = await store.finishTask({ taskId: 't1', attempt: 1 }, end);
        expect(ended.current?.hasDependents).toBe(true);
      });
    });

    describe('held places', () => {
      const size = { cpu: 512, memory: 1024 };
      const held = async () => {
        const host = await added({ capacity: size, left: size });
        const victims = [await accepted({ taskId: 'v1' }), await accepted({ taskId: 'v2' })];
        await store.claim(claimRequest(host, victims));
        const heir = await accepted({ taskId: 'heir' });
        const request = {
          cluster: 'prod',
          hostId: host.hostId,
          epoch: 0,
          nowMs: 5,
          heir: { ...claimRequest(host, [heir]).tasks[0], taskId: 'heir', attempt: 1, priority: 10 },
          victims: [{ taskId: 'v1', attempt: 1 }],
        } as Parameters<Store['holdPlace']>[0];
        return { host, heir, request, first: await store.holdPlace(request) };
      };

      it('gives a victim’s room to its heir, and to nobody else', async () => {
        const { host, heir, request, first } = await held();
        expect(first.outcome).toBe('applied');
        expect((await store.holdPlace(request)).outcome).toBe('applied');
        const other = { ...request, heir: { ...request.heir, taskId: 'v3' } };
        expect((await store.holdPlace(other)).outcome).toBe('refused');
        await store.releaseClaim('prod', host.hostId, { taskId: 'v1', attempt: 1 }, 9);
        const freed = await store.getHost('prod', host.hostId);
        expect(freed?.left).toEqual({ cpu: 0, memory: 0 });
        const hold = freed?.claims['hold#heir'];
        expect(hold?.demand).toEqual(heir.spec.demand);
        const third = await accepted({ taskId: 'third' });
        expect((await store.claim(claimRequest(host, [third]))).outcome).toBe('host-changed');
        const claim = claimRequest(host, [heir]);
        const withHold = { ...claim, tasks: claim.tasks.map((task) => ({ ...task, ...(hold && { hold }) })) };
        expect(await store.claim(withHold)).toEqual({ outcome: 'claimed' });
        expect(await store.claim(withHold)).toEqual({ outcome: 'claimed' });
        const placedHost = await store.getHost('prod', host.hostId);
        expect(Object.keys(placedHost?.claims ?? {}).sort()).toEqual(['heir', 'v2']);
        expect(placedHost?.left).toEqual({ cpu: 0, memory: 0 });
      });

      it('gives the room to all when the hold was given up before', async () => {
        const { host } = await held();
        await store.releaseClaim('prod', host.hostId, { taskId: 'hold#heir', attempt: 1 }, 8);
        await store.releaseClaim('prod', host.hostId, { taskId: 'v1', attempt: 1 }, 9);
        expect((await store.getHost('prod', host.hostId))?.left).toEqual({ cpu: 256, memory: 512 });
      });

      it('asks an attempt to stop only while it is the one under way', async () => {
        await held();
        const stop = { code: 'PREEMPTED', detail: 'makes room' } as const;
        expect((await store.requestStop('v1', stop, 2)).outcome).toBe('refused');
        expect((await store.requestStop('heir', stop, 1)).outcome).toBe('refused');
        expect((await store.requestStop('v1', stop, 1)).outcome).toBe('applied');
      });
    });

    describe('claims', () => {
      it('moves capacity and tasks together and recognises its own repeat', async () => {
        const host = await added({
          idleSince: 3,
          capacity: { cpu: 1024, memory: 4096 },
          left: { cpu: 1024, memory: 4096 },
        });
        const one = await accepted({
          spec: aTaskSpec({ hostPorts: ['80/tcp'], priority: 5, interruptible: true }),
        });
        const two = await accepted({ taskId: 't2' });
        const request = claimRequest(host, [one, two]);
        expect(await store.claim(request)).toEqual({ outcome: 'claimed' });
        const after = await store.getHost('prod', host.hostId);
        expect(after).toMatchObject({ left: { cpu: 512, memory: 3072 }, ports: ['80/tcp'] });
        expect(after).not.toHaveProperty('idleSince');
        expect(after?.claims.t1).toEqual({
          taskId: 't1',
          attempt: 1,
          demand: { cpu: 256, memory: 512 },
          hostPorts: ['80/tcp'],
          claimedAt: request.nowMs,
          group: 'family:web',
          priority: 5,
          interruptible: true,
        });
        expect(await store.getTask('t1')).toMatchObject({
          state: 'PLACED',
          hostId: host.hostId,
          placedAt: request.nowMs,
          reason: placed,
        });
        expect(await store.claim(request)).toEqual({ outcome: 'claimed' });
        expect(await store.getHost('prod', host.hostId)).toEqual(after);
      });

      it('refuses a host that is full, at another epoch, not ready, without a dimension, or gone', async () => {
        const host = await added({ left: { cpu: 300, memory: 3700 } });
        const [one, two] = [await accepted(), await accepted({ taskId: 't2' })];
        const gpu = await accepted({
          taskId: 't3',
          spec: aTaskSpec({ demand: { cpu: 1, gpu: 1000, eni: 0 } }),
        });
        const changed = { outcome: 'host-changed', host };
        expect(await store.claim(claimRequest(host, [one, two]))).toEqual(changed);
        expect(await store.claim(claimRequest(host, [one], { epoch: 1 }))).toEqual(changed);
        expect(await store.claim(claimRequest(host, [gpu]))).toEqual(changed);
        expect(await store.claim(claimRequest({ ...host, hostId: 'i-none' }, [one]))).toEqual({
          outcome: 'host-changed',
          host: undefined,
        });
        await store.setHostState('prod', host.hostId, {
          from: ['READY'],
          to: 'CORDONED',
          reason: 'operator',
        });
        expect((await store.claim(claimRequest(host, [one]))).outcome).toBe('host-changed');
        expect((await store.getTask('t1'))?.state).toBe('PENDING');
      });

      it('refuses a port in use, by others or twice in the request', async () => {
        const host = await added();
        const spec = aTaskSpec({ hostPorts: ['80/tcp'] });
        const [one, two] = [await accepted({ spec }), await accepted({ taskId: 't2', spec })];
        expect(await store.claim(claimRequest(host, [one, two]))).toEqual({ outcome: 'host-changed', host });
        expect(await store.claim(claimRequest(host, [one]))).toEqual({ outcome: 'claimed' });
        expect((await store.claim(claimRequest(host, [two]))).outcome).toBe('host-changed');
      });

      it('names the tasks that moved on, and leaves the others alone', async () => {
        const [host, other] = [await added(), await added({ hostId: 'i-2' })];
        const tasks = [await accepted(), await accepted({ taskId: 't2' }), await accepted({ taskId: 't3' })];
        const [one, two, three] = tasks;
        await store.finishTask(
          { taskId: 't1', attempt: 1 },
          { state: 'CANCELLED', reason: failed, endedAt: 1 },
        );
        await store.claim(claimRequest(other, two === undefined ? [] : [two]));
        expect(await store.claim(claimRequest(host, tasks))).toEqual({
          outcome: 'tasks-changed',
          taskIds: ['t1', 't2'],
        });
        expect((await store.getTask('t3'))?.state).toBe('PENDING');
        expect((await store.getHost('prod', host.hostId))?.claims).toEqual({});
        const again = three === undefined ? [] : [{ ...three, attempt: 2 }];
        expect(await store.claim(claimRequest(host, again))).toEqual({
          outcome: 'tasks-changed',
          taskIds: ['t3'],
        });
        expect(one?.taskId).toBe('t1');
      });

      it('does not mistake a task that ended here for one that may be launched', async () => {
        const { host, task, ref } = await placedTask();
        await store.finishTask(ref, { state: 'CANCELLED', reason: failed, endedAt: 1 });
        expect(await store.claim(claimRequest(host, [task]))).toEqual({
          outcome: 'tasks-changed',
          taskIds: ['t1'],
        });
      });

      it('keeps a host for an older attempt of the same task until that is released', async () => {
        const { host, ref } = await placedTask();
        const requeued = await store.requeueTask(ref, { cause: 'UNKNOWN', reason: failed, counted: false });
        const request = claimRequest(host, requeued.current === undefined ? [] : [requeued.current]);
        expect((await store.claim(request)).outcome).toBe('host-changed');
        await store.releaseClaim('prod', host.hostId, ref, 5);
        expect(await store.claim(request)).toEqual({ outcome: 'claimed' });
      });

      it('takes 99 tasks at once and refuses to try more, or one twice', async () => {
        const host = await added({ left: { cpu: 99 * 256, memory: 99 * 512 } });
        const tasks = await Promise.all(
          Array.from({ length: 99 }, (_, index) => accepted({ taskId: `task-${index}` })),
        );
        const [first] = tasks;
        await expect(store.claim(claimRequest(host, [...tasks, aTask()]))).rejects.toThrow(RangeError);
        await expect(store.claim(claimRequest(host, first ? [first, first] : []))).rejects.toThrow(
          RangeError,
        );
        expect(await store.claim(claimRequest(host, []))).toEqual({ outcome: 'claimed' });
        expect(await store.claim(claimRequest(host, tasks))).toEqual({ outcome: 'claimed' });
        expect(await store.claim(claimRequest(host, tasks))).toEqual({ outcome: 'claimed' });
        expect((await store.getHost('prod', host.hostId))?.left).toEqual({ cpu: 0, memory: 0 });
      });

      it('releases a claim once, its ports too, and notes since when the host is idle', async () => {
        const host = await added();
        const spec = aTaskSpec({ hostPorts: ['80/tcp'], demand: { cpu: 100, memory: 100 } });
        const tasks = [await accepted({ spec }), await accepted({ taskId: 't2' })];
        await store.claim(claimRequest(host, tasks));
        const ref = { taskId: 't1', attempt: 1 };
        expect(await store.releaseClaim('prod', host.hostId, { ...ref, attempt: 2 }, 7)).toEqual({
          outcome: 'absent',
        });
        expect(await store.releaseClaim('prod', host.hostId, ref, 7)).toEqual({ outcome: 'released' });
        expect(await store.releaseClaim('prod', host.hostId, ref, 8)).toEqual({ outcome: 'absent' });
        expect(await store.releaseClaim('prod', 'i-none', ref, 8)).toEqual({ outcome: 'absent' });
        const half = await store.getHost('prod', host.hostId);
        expect(half).toMatchObject({ ports: [], left: { cpu: 2048 - 256, memory: 3700 - 512 } });
        expect(half).not.toHaveProperty('idleSince');
        await store.releaseClaim('prod', host.hostId, { taskId: 't2', attempt: 1 }, 9);
        expect(await store.getHost('prod', host.hostId)).toEqual({ ...host, idleSince: 9 });
      });

      it('lets one of many simultaneous claims of the same room through', async () => {
        const host = await added({ left: { cpu: 256 * 3, memory: 3700 } });
        const tasks = await Promise.all(
          Array.from({ length: 8 }, (_, index) => accepted({ taskId: `t${index}` })),
        );
        const outcomes = await Promise.all(tasks.map((task) => store.claim(claimRequest(host, [task]))));
        expect(outcomes.filter(({ outcome }) => outcome === 'claimed')).toHaveLength(3);
        const after = await store.getHost('prod', host.hostId);
        expect(after?.left.cpu).toBe(0);
        expect(Object.keys(after?.claims ?? {})).toHaveLength(3);
      });
    });

    describe('hosts', () => {
      it('adds a host once and lists those of all cells', async () => {
        const hosts = Array.from({ length: 12 }, (_, index) =>
          aHost({ hostId: `i-${String(index).padStart(2, '0')}` }),
        );
        for (const host of hosts.toReversed()) {
          expect(await store.addHost(host)).toEqual({ outcome: 'applied', current: host });
        }
        expect(await store.listHosts('prod')).toEqual(hosts);
        expect(await store.listHosts('nowhere')).toEqual([]);
        expect(await store.addHost(aHost({ hostId: 'i-00', pool: 'other' }))).toEqual({
          outcome: 'refused',
          current: hosts[0],
        });
      });

      const registration = {
        containerInstanceArn: 'arn:ci:1',
        capacity: { cpu: 1000, memory: 2000 },
        attributes: { 'ecs.os-type': 'linux' },
        ecsVersion: 4,
        registeredAt: 50,
      };

      it('registers a booting host as ready and idle, with what ECS says it has', async () => {
        const host = await added({ state: 'BOOTING', stateReason: 'bought' });
        expect(await store.registerHost('prod', host.hostId, registration)).toEqual({
          outcome: 'applied',
          current: {
            ...host,
            ...registration,
            left: registration.capacity,
            state: 'READY',
            stateReason: 'registered in ECS',
            idleSince: 50,
          },
        });
        expect((await store.registerHost('prod', host.hostId, registration)).outcome).toBe('refused');
        expect((await store.registerHost('prod', 'i-none', registration)).current).toBeUndefined();
      });

      it('keeps claims out of what a new registration leaves, and takes a later one whatever its version', async () => {
        const { host } = await placedTask();
        const first = await store.registerHost('prod', host.hostId, registration);
        expect(first.current?.left).toEqual({ cpu: 744, memory: 1488 });
        const later = { ...registration, containerInstanceArn: 'arn:ci:2', ecsVersion: 1, registeredAt: 60 };
        expect(await store.registerHost('prod', host.hostId, later)).toMatchObject({
          outcome: 'applied',
          current: { containerInstanceArn: 'arn:ci:2', state: 'READY' },
        });
        await store.setHostState('prod', host.hostId, { from: ['READY'], to: 'TERMINATING', reason: 'lost' });
        const afterwards = { ...later, ecsVersion: 9, registeredAt: 70 };
        expect((await store.registerHost('prod', host.hostId, afterwards)).outcome).toBe('refused');
      });

      it('changes state under its guards, and starts a new epoch with TERMINATING', async () => {
        const { host } = await placedTask();
        const cordon = { from: ['READY', 'BOOTING'], to: 'CORDONED', reason: 'spot warning' } as const;
        expect((await store.setHostState('prod', host.hostId, { ...cordon, ifEmpty: true })).outcome).toBe(
          'refused',
        );
        expect((await store.setHostState('prod', host.hostId, { ...cordon, epoch: 1 })).outcome).toBe(
          'refused',
        );
        expect((await store.setHostState('prod', host.hostId, { ...cordon, from: [] })).outcome).toBe(
          'refused',
        );
        expect((await store.setHostState('prod', 'i-none', cordon)).current).toBeUndefined();
        const cordoned = await store.setHostState('prod', host.hostId, { ...cordon, epoch: 0 });
        expect(cordoned).toMatchObject({
          outcome: 'applied',
          current: { state: 'CORDONED', epoch: 0, pool: host.pool },
        });
        expect(cordoned.current?.claims).toHaveProperty('t1');
        const again = { ...cordon, from: ['CORDONED'], atMs: 7 } as const;
        expect((await store.setHostState('prod', host.hostId, again)).current?.stateSince).toBe(7);
        await store.setHostState('prod', host.hostId, { ...cordon, from: ['CORDONED'] });
        expect(await store.getHost('prod', host.hostId)).not.toHaveProperty('stateSince');
        const repeat = await store.setHostState('prod', host.hostId, cordon);
        expect(repeat).toMatchObject({ outcome: 'refused', current: { state: 'CORDONED' } });
        const end = { from: ['CORDONED'], to: 'TERMINATING', reason: 'lost' } as const;
        expect(await store.setHostState('prod', host.hostId, end)).toMatchObject({
          outcome: 'applied',
          current: { epoch: 1, stateReason: 'lost' },
        });
      });

      it('removes a host, when asked only an empty one, and returns its last claims', async () => {
        const { host } = await placedTask();
        expect((await store.removeHost('prod', host.hostId, { ifEmpty: true })).outcome).toBe('refused');
        const removed = await store.removeHost('prod', host.hostId, { ifEmpty: false });
        expect(removed.outcome).toBe('applied');
        expect(Object.keys(removed.current?.claims ?? {})).toEqual(['t1']);
        expect(await store.removeHost('prod', host.hostId, { ifEmpty: false })).toEqual({
          outcome: 'refused',
          current: undefined,
        });
        expect(await store.listHosts('prod')).toEqual([]);
        expect((await store.addHost(host)).outcome).toBe('applied');
      });
    });

    describe('clusters', () => {
      it('makes a cluster and its pools once, and adds pools that are new', async () => {
        await store.ensureCluster(
          aCluster({ cells: 9, pools: [aPool({ maxHosts: 99 }), aPool({ name: 'spot' })] }),
        );
        const cluster = aCluster({ cells: 3, pools: [aPool(), aPool({ name: 'spot' })] });
        expect(await store.getCluster('prod')).toEqual(cluster);
        await store.ensureCluster(aCluster({ name: 'test', pools: [] }));
        expect(await store.listClusters()).toEqual(['prod', 'test']);
        expect(await store.getCluster('nowhere')).toBeUndefined();
      });

      it('pauses, and changes pools', async () => {
        expect(await store.setPaused('prod', true, 5)).toEqual({ outcome: 'applied' });
        expect(await store.setPaused('prod', false, 4)).toEqual({ outcome: 'refused' });
        expect(await store.setPaused('nowhere', true, 5)).toEqual({ outcome: 'refused' });
        await store.putPool(aPool({ maxHosts: 3 }));
        expect(await store.getCluster('prod')).toEqual(
          aCluster({ cells: 3, paused: true, pools: [aPool({ maxHosts: 3 })] }),
        );
        expect(await store.getCluster('nowhere')).toBeUndefined();
      });

      it('applies a change of desired hosts once, even when the number comes round again', async () => {
        const up = { from: 0, to: 1, changeId: 'alarm-1' };
        const grown = aPool({ desiredHosts: 1 });
        expect(await store.setDesiredHosts('prod', 'general', up)).toEqual({
          outcome: 'applied',
          current: grown,
        });
        expect(await store.setDesiredHosts('prod', 'general', up)).toEqual({
          outcome: 'applied',
          current: grown,
        });
        const stale = { ...up, changeId: 'alarm-2' };
        expect(await store.setDesiredHosts('prod', 'general', stale)).toEqual({
          outcome: 'refused',
          current: grown,
        });
        await store.setDesiredHosts('prod', 'general', { from: 1, to: 0, changeId: 'ok-1' });
        await store.putPool(aPool());
        expect(await store.setDesiredHosts('prod', 'general', up)).toEqual({
          outcome: 'applied',
          current: aPool(),
        });
        expect((await store.setDesiredHosts('prod', 'nowhere', up)).outcome).toBe('refused');
      });

      it('keeps one open order per pool', async () => {
        const order = anOrder();
        expect(await store.openOrder(order, undefined)).toEqual({ outcome: 'applied', current: order });
        expect(await store.openOrder(anOrder({ orderId: 'order2' }), 'order1')).toEqual({
          outcome: 'refused',
          current: order,
        });
        const other = anOrder({ orderId: 'order3', pool: 'spot' });
        expect((await store.openOrder(other, undefined)).outcome).toBe('applied');
        expect(await store.listOpenOrders('prod')).toEqual([order, other]);
        const end = { state: 'DONE', hostIds: ['i-1'], errors: [] } as const;
        expect((await store.closeOrder('prod', 'general', 'order2', end)).outcome).toBe('refused');
        expect(await store.closeOrder('prod', 'general', 'order1', end)).toEqual({
          outcome: 'applied',
          current: { ...order, ...end },
        });
        expect((await store.closeOrder('prod', 'general', 'order1', end)).outcome).toBe('refused');
        const next = anOrder({ orderId: 'order2' });
        const stale = await store.openOrder(next, undefined);
        expect(stale).toEqual({ outcome: 'refused', current: { ...order, ...end } });
        expect((await store.openOrder(next, 'order1')).outcome).toBe('applied');
        expect(await store.listLastOrders('prod')).toEqual([next, other]);
      });

      it('remembers what EC2 had none of until it may have some', async () => {
        const shortage = {
          instanceType: 'c6i.large',
          zone: 'us-east-1a',
          lifecycle: 'spot',
          until: 100,
          code: 'InsufficientInstanceCapacity',
        } as const;
        const onDemand = { ...shortage, lifecycle: 'on-demand', until: 300 } as const;
        await store.rememberInsufficientCapacity('prod', [shortage, onDemand]);
        await store.rememberInsufficientCapacity('prod', [{ ...shortage, until: 200 }]);
        expect(await store.listInsufficientCapacity('prod', 199)).toEqual([
          onDemand,
          { ...shortage, until: 200 },
        ]);
        expect(await store.listInsufficientCapacity('prod', 200)).toEqual([onDemand]);
        expect(await store.listInsufficientCapacity('nowhere', 0)).toEqual([]);
      });
    });
  });
}
