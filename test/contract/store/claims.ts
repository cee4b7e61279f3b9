import { describe, expect, it } from 'vitest';
import type { Store } from '../../../layers/ports/store.ts';
import { aTask, aTaskSpec } from '../../support/records.ts';
import { claimRequest, failed, placed, type StoreWorld } from './world.ts';

export function claimsContract(world: StoreWorld): void {
  describe('held places', () => {
    const size = { cpu: 512, memory: 1024 };
    const held = async () => {
      const host = await world.added({ capacity: size, left: size });
      const victims = [await world.accepted({ taskId: 'v1' }), await world.accepted({ taskId: 'v2' })];
      await world.store.claim(claimRequest(host, victims));
      const heir = await world.accepted({ taskId: 'heir' });
      const request = {
        cluster: 'prod',
        hostId: host.hostId,
        epoch: 0,
        nowMs: 5,
        heir: { ...claimRequest(host, [heir]).tasks[0], taskId: 'heir', attempt: 1, priority: 10 },
        victims: [{ taskId: 'v1', attempt: 1 }],
      } as Parameters<Store['holdPlace']>[0];
      return { host, heir, request, first: await world.store.holdPlace(request) };
    };

    it('gives a victim’s room to its heir, and to nobody else', async () => {
      const { host, heir, request, first } = await held();
      expect(first.outcome).toBe('applied');
      expect((await world.store.holdPlace(request)).outcome).toBe('applied');
      const other = { ...request, heir: { ...request.heir, taskId: 'v3' } };
      expect((await world.store.holdPlace(other)).outcome).toBe('refused');
      await world.store.releaseClaims('prod', host.hostId, [{ taskId: 'v1', attempt: 1 }], 9);
      const freed = await world.store.getHost('prod', host.hostId);
      expect(freed?.left).toEqual({ cpu: 0, memory: 0 });
      const hold = freed?.claims['hold#heir'];
      expect(hold?.demand).toEqual(heir.spec.demand);
      const third = await world.accepted({ taskId: 'third' });
      expect((await world.store.claim(claimRequest(host, [third]))).outcome).toBe('host-changed');
      const claim = claimRequest(host, [heir]);
      const withHold = { ...claim, tasks: claim.tasks.map((task) => ({ ...task, ...(hold && { hold }) })) };
      expect(await world.store.claim(withHold)).toEqual({ outcome: 'claimed' });
      expect(await world.store.claim(withHold)).toEqual({ outcome: 'claimed' });
      const placedHost = await world.store.getHost('prod', host.hostId);
      expect(Object.keys(placedHost?.claims ?? {}).sort()).toEqual(['heir', 'v2']);
      expect(placedHost?.left).toEqual({ cpu: 0, memory: 0 });
    });

    it('gives the room to all when the hold was given up before', async () => {
      const { host } = await held();
      await world.store.releaseClaims('prod', host.hostId, [{ taskId: 'hold#heir', attempt: 1 }], 8);
      await world.store.releaseClaims('prod', host.hostId, [{ taskId: 'v1', attempt: 1 }], 9);
      expect((await world.store.getHost('prod', host.hostId))?.left).toEqual({ cpu: 256, memory: 512 });
    });

    it('gives the room of claims that end together to their heirs’ holds, also of a hold among them', async () => {
      const { host, heir } = await held();
      const ends = ['v2', 'v1', 'nobody', 'v1'].map((taskId) => ({ taskId, attempt: 1 }));
      expect(await world.store.releaseClaims('prod', host.hostId, ends, 9)).toEqual({
        released: ['v2', 'v1'],
      });
      const freed = await world.store.getHost('prod', host.hostId);
      expect(Object.keys(freed?.claims ?? {})).toEqual(['hold#heir']);
      expect(freed?.claims['hold#heir']?.demand).toEqual(heir.spec.demand);
      expect(freed?.left).toEqual({ cpu: 256, memory: 512 });
      expect(freed).not.toHaveProperty('idleSince');
    });

    it('gives a victim’s room to all when its heir’s hold goes with it', async () => {
      const { host } = await held();
      const ends = ['v1', 'hold#heir', 'v2'].map((taskId) => ({ taskId, attempt: 1 }));
      await world.store.releaseClaims('prod', host.hostId, ends, 9);
      expect(await world.store.getHost('prod', host.hostId)).toEqual({ ...host, left: size, idleSince: 9 });
    });

    it('asks an attempt to stop only while it is the one under way', async () => {
      await held();
      const stop = { code: 'PREEMPTED', detail: 'makes room' } as const;
      expect((await world.store.requestStop('v1', stop, 2)).outcome).toBe('refused');
      expect((await world.store.requestStop('heir', stop, 1)).outcome).toBe('refused');
      expect((await world.store.requestStop('v1', stop, 1)).outcome).toBe('applied');
    });
  });

  describe('claims', () => {
    it('moves capacity and tasks together and recognises its own repeat', async () => {
      const host = await world.added({
        idleSince: 3,
        capacity: { cpu: 1024, memory: 4096 },
        left: { cpu: 1024, memory: 4096 },
      });
      const one = await world.accepted({
        spec: aTaskSpec({ hostPorts: ['80/tcp'], priority: 5, interruptible: true }),
      });
      const two = await world.accepted({ taskId: 't2' });
      const request = claimRequest(host, [one, two]);
      expect(await world.store.claim(request)).toEqual({ outcome: 'claimed' });
      const after = await world.store.getHost('prod', host.hostId);
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
      expect(await world.store.getTask('t1')).toMatchObject({
        state: 'PLACED',
        hostId: host.hostId,
        placedAt: request.nowMs,
        reason: placed,
      });
      expect(await world.store.claim(request)).toEqual({ outcome: 'claimed' });
      expect(await world.store.getHost('prod', host.hostId)).toEqual(after);
    });

    it('takes a seat of the concurrency key with the claim, and none beyond the task’s own maximum', async () => {
      const host = await world.added({
        capacity: { cpu: 4096, memory: 8192 },
        left: { cpu: 4096, memory: 8192 },
      });
      const capped = (taskId: string, max: number, key = 'db') =>
        world.accepted({ taskId, spec: aTaskSpec({ concurrency: { key, max } }) });
      const [one, two] = [await capped('one', 2), await capped('two', 2)];
      const [three, wide] = [await capped('three', 2), await capped('wide', 3)];
      const tooMany = { outcome: 'cap-reached', taskIds: ['one', 'two', 'three'] };
      expect(await world.store.claim(claimRequest(host, [one, two, three]))).toEqual(tooMany);
      expect(await world.store.listSeats('prod', ['db'])).toEqual(new Map());
      expect(await world.store.claim(claimRequest(host, [one, two]))).toEqual({ outcome: 'claimed' });
      expect(await world.store.claim(claimRequest(host, [one, two]))).toEqual({ outcome: 'claimed' });
      const taken = [
        { taskId: 'one', attempt: 1 },
        { taskId: 'two', attempt: 1 },
      ];
      expect(await world.store.listSeats('prod', ['db', 'api'])).toEqual(new Map([['db', taken]]));
      const free = await world.accepted({ taskId: 'free' });
      expect(await world.store.claim(claimRequest(host, [free, three]))).toEqual({
        outcome: 'cap-reached',
        taskIds: ['three'],
      });
      expect((await world.store.getTask('free'))?.state).toBe('PENDING');
      // Another's smaller maximum holds nobody back, and another key is another matter.
      const other = await capped('other', 1, 'api');
      expect(await world.store.claim(claimRequest(host, [wide, other]))).toEqual({ outcome: 'claimed' });
      await world.store.freeSeats('prod', 'db', [...taken.slice(0, 1), { taskId: 'none', attempt: 1 }]);
      expect((await world.store.claim(claimRequest(host, [three]))).outcome).toBe('cap-reached');
      await world.store.freeSeats('prod', 'db', [...taken, { taskId: 'wide', attempt: 1 }]);
      expect(await world.store.claim(claimRequest(host, [three]))).toEqual({ outcome: 'claimed' });
      const left = await world.store.listSeats('prod', ['db']);
      expect(left).toEqual(new Map([['db', [{ taskId: 'three', attempt: 1 }]]]));
    });

    it('keeps with a claim what decides whether its task may be moved', async () => {
      const [host, task] = [await world.added({ replaces: ['i-0'] }), await world.accepted()];
      const request = claimRequest(host, [task]);
      const tasks = request.tasks.map((each) => ({ ...each, interruptible: true, constrained: true }));
      await world.store.claim({ ...request, tasks });
      const after = await world.store.getHost('prod', host.hostId);
      expect(after?.claims.t1).toMatchObject({ interruptible: true, constrained: true });
      expect(after?.replaces).toEqual(['i-0']);
    });

    it('notes on the task at what part its CPU is set aside, for this attempt only', async () => {
      const [host, task] = [await world.added(), await world.accepted()];
      const request = claimRequest(host, [task]);
      const tasks = request.tasks.map((each) => ({
        ...each,
        demand: { ...each.demand, cpu: 128 },
        cpuOvercommit: 2,
      }));
      expect(await world.store.claim({ ...request, tasks })).toEqual({ outcome: 'claimed' });
      expect((await world.store.getTask('t1'))?.cpuOvercommit).toBe(2);
      const next = await world.store.requeueTask(task, { cause: 'UNKNOWN', reason: failed, counted: false });
      expect(next.current).not.toHaveProperty('cpuOvercommit');
    });

    it('refuses a host that is full, at another epoch, not ready, without a dimension, or gone', async () => {
      const host = await world.added({ left: { cpu: 300, memory: 3700 } });
      const [one, two] = [await world.accepted(), await world.accepted({ taskId: 't2' })];
      const gpu = await world.accepted({
        taskId: 't3',
        spec: aTaskSpec({ demand: { cpu: 1, gpu: 1000, eni: 0 } }),
      });
      const changed = { outcome: 'host-changed', host };
      expect(await world.store.claim(claimRequest(host, [one, two]))).toEqual(changed);
      expect(await world.store.claim(claimRequest(host, [one], { epoch: 1 }))).toEqual(changed);
      expect(await world.store.claim(claimRequest(host, [gpu]))).toEqual(changed);
      expect(await world.store.claim(claimRequest({ ...host, hostId: 'i-none' }, [one]))).toEqual({
        outcome: 'host-changed',
        host: undefined,
      });
      await world.store.setHostState('prod', host.hostId, {
        from: ['READY'],
        to: 'CORDONED',
        reason: 'operator',
      });
      expect((await world.store.claim(claimRequest(host, [one]))).outcome).toBe('host-changed');
      expect((await world.store.getTask('t1'))?.state).toBe('PENDING');
    });

    it('refuses a port in use, by others or twice in the request', async () => {
      const host = await world.added();
      const spec = aTaskSpec({ hostPorts: ['80/tcp'] });
      const [one, two] = [await world.accepted({ spec }), await world.accepted({ taskId: 't2', spec })];
      expect(await world.store.claim(claimRequest(host, [one, two]))).toEqual({
        outcome: 'host-changed',
        host,
      });
      expect(await world.store.claim(claimRequest(host, [one]))).toEqual({ outcome: 'claimed' });
      expect((await world.store.claim(claimRequest(host, [two]))).outcome).toBe('host-changed');
    });

    it('names the tasks that moved on, and leaves the others alone', async () => {
      const [host, other] = [await world.added(), await world.added({ hostId: 'i-2' })];
      const tasks = [
        await world.accepted(),
        await world.accepted({ taskId: 't2' }),
        await world.accepted({ taskId: 't3' }),
      ];
      const [one, two, three] = tasks;
      await world.store.finishTask(
        { taskId: 't1', attempt: 1 },
        { state: 'CANCELLED', reason: failed, endedAt: 1 },
      );
      await world.store.claim(claimRequest(other, two === undefined ? [] : [two]));
      expect(await world.store.claim(claimRequest(host, tasks))).toEqual({
        outcome: 'tasks-changed',
        taskIds: ['t1', 't2'],
      });
      expect((await world.store.getTask('t3'))?.state).toBe('PENDING');
      expect((await world.store.getHost('prod', host.hostId))?.claims).toEqual({});
      const again = three === undefined ? [] : [{ ...three, attempt: 2 }];
      expect(await world.store.claim(claimRequest(host, again))).toEqual({
        outcome: 'tasks-changed',
        taskIds: ['t3'],
      });
      expect(one?.taskId).toBe('t1');
    });

    it('does not mistake a task that ended here for one that may be launched', async () => {
      const { host, task, ref } = await world.placedTask();
      await world.store.finishTask(ref, { state: 'CANCELLED', reason: failed, endedAt: 1 });
      expect(await world.store.claim(claimRequest(host, [task]))).toEqual({
        outcome: 'tasks-changed',
        taskIds: ['t1'],
      });
    });

    it('keeps a host for an older attempt of the same task until that is released', async () => {
      const { host, ref } = await world.placedTask();
      const requeued = await world.store.requeueTask(ref, {
        cause: 'UNKNOWN',
        reason: failed,
        counted: false,
      });
      const request = claimRequest(host, requeued.current === undefined ? [] : [requeued.current]);
      expect((await world.store.claim(request)).outcome).toBe('host-changed');
      await world.store.releaseClaims('prod', host.hostId, [ref], 5);
      expect(await world.store.claim(request)).toEqual({ outcome: 'claimed' });
    });

    it('takes 99 tasks at once and refuses to try more, or one twice', async () => {
      const host = await world.added({ left: { cpu: 99 * 256, memory: 99 * 512 } });
      const tasks = await Promise.all(
        Array.from({ length: 99 }, (_, index) => world.accepted({ taskId: `task-${index}` })),
      );
      const [first] = tasks;
      await expect(world.store.claim(claimRequest(host, [...tasks, aTask()]))).rejects.toThrow(RangeError);
      await expect(world.store.claim(claimRequest(host, first ? [first, first] : []))).rejects.toThrow(
        RangeError,
      );
      expect(await world.store.claim(claimRequest(host, []))).toEqual({ outcome: 'claimed' });
      expect(await world.store.claim(claimRequest(host, tasks))).toEqual({ outcome: 'claimed' });
      expect(await world.store.claim(claimRequest(host, tasks))).toEqual({ outcome: 'claimed' });
      expect((await world.store.getHost('prod', host.hostId))?.left).toEqual({ cpu: 0, memory: 0 });
    });

    it('releases a claim once, its ports too, and notes since when the host is idle', async () => {
      const host = await world.added();
      const spec = aTaskSpec({ hostPorts: ['80/tcp'], demand: { cpu: 100, memory: 100 } });
      const tasks = [await world.accepted({ spec }), await world.accepted({ taskId: 't2' })];
      await world.store.claim(claimRequest(host, tasks));
      const ref = { taskId: 't1', attempt: 1 };
      const release = (hostId: string, attempt: number, at: number) =>
        world.store.releaseClaims('prod', hostId, [{ ...ref, attempt }], at);
      expect(await release(host.hostId, 2, 7)).toEqual({ released: [] });
      expect(await release(host.hostId, 1, 7)).toEqual({ released: ['t1'] });
      expect(await release(host.hostId, 1, 8)).toEqual({ released: [] });
      expect(await release('i-none', 1, 8)).toEqual({ released: [] });
      const half = await world.store.getHost('prod', host.hostId);
      expect(half).toMatchObject({ ports: [], left: { cpu: 2048 - 256, memory: 3700 - 512 } });
      expect(half).not.toHaveProperty('idleSince');
      await world.store.releaseClaims('prod', host.hostId, [{ taskId: 't2', attempt: 1 }], 9);
      expect(await world.store.getHost('prod', host.hostId)).toEqual({ ...host, idleSince: 9 });
    });

    it('releases many claims together, each once, whoever else does', async () => {
      const host = await world.added({ left: { cpu: 60 * 256, memory: 60 * 512 } });
      const tasks = await Promise.all(
        Array.from({ length: 60 }, (_, index) => world.accepted({ taskId: `task-${index}` })),
      );
      await world.store.claim(claimRequest(host, tasks));
      const ends = tasks.map(({ taskId, attempt }) => ({
        taskId,
        attempt,
        failedToStart: taskId === 'task-7',
      }));
      const parts = [ends.slice(0, 40), ends.slice(20), ends.slice(30, 31)];
      const answers = await Promise.all(
        parts.map((part) => world.store.releaseClaims('prod', host.hostId, part, 9)),
      );
      const released = answers.flatMap((answer) => answer.released).sort();
      expect(released).toEqual(tasks.map(({ taskId }) => taskId).sort());
      const launchFailures = { score: 1, at: 9 };
      expect(await world.store.getHost('prod', host.hostId)).toEqual({
        ...host,
        launchFailures,
        idleSince: 9,
      });
    });

    it('counts attempts that could not be started, older ones less', async () => {
      const { host, ref } = await world.placedTask();
      await world.store.releaseClaims('prod', host.hostId, [{ ...ref, failedToStart: true }], 1_000);
      const after = await world.store.getHost('prod', host.hostId);
      expect(after?.launchFailures).toEqual({ score: 1, at: 1_000 });
      const second = await world.accepted({ taskId: 't2' });
      await world.store.claim(claimRequest(host, [second]));
      const end = { taskId: 't2', attempt: 1, failedToStart: true };
      await world.store.releaseClaims('prod', host.hostId, [end], 601_000);
      const later = await world.store.getHost('prod', host.hostId);
      expect(later?.launchFailures).toEqual({ score: 1.5, at: 601_000 });
    });

    it('lets one of many simultaneous claims of the same room through', async () => {
      const host = await world.added({ left: { cpu: 256 * 3, memory: 3700 } });
      const tasks = await Promise.all(
        Array.from({ length: 8 }, (_, index) => world.accepted({ taskId: `t${index}` })),
      );
      const outcomes = await Promise.all(tasks.map((task) => world.store.claim(claimRequest(host, [task]))));
      expect(outcomes.filter(({ outcome }) => outcome === 'claimed')).toHaveLength(3);
      const after = await world.store.getHost('prod', host.hostId);
      expect(after?.left.cpu).toBe(0);
      expect(Object.keys(after?.claims ?? {})).toHaveLength(3);
    });
  });
}
