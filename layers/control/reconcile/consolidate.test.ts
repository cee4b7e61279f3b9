import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../../local/sim/memoryStore.ts';
import { aCluster, aHost, aPool, aTask, aTaskSpec } from '../../../test/support/records.ts';
import { DEFAULT_BUDGET } from '../../domain/capacity/disruption.ts';
import type { Host } from '../../domain/model/host.ts';
import type { Pool } from '../../domain/model/pool.ts';
import type { Task, TaskSpec } from '../../domain/model/task.ts';
import { observeTask } from '../observeTask.ts';
import { explainTask } from '../operate/explain.ts';
import { schedulePass } from '../schedulePass.ts';
import { fakeWorld } from '../testWorld.ts';
import { consolidate } from './consolidate.ts';
import { reconcileCluster } from './reconcileCluster.ts';

const SETTLED_MS = 61_000;

/** Two hosts, each with one task that takes a quarter of it, as the schedule function would have left them. */
async function twoHalfEmpty(spec: Partial<TaskSpec> = { interruptible: true }, pool: Partial<Pool> = {}) {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  const provisioned: string[] = [];
  world.bus.provision = async (_cluster, reason) => void provisioned.push(reason);
  const cluster = aCluster({ pools: [aPool(pool)] });
  await store.ensureCluster(cluster);
  const ids = ['i-00000000000000001', 'i-00000000000000002'];
  for (const [n, hostId] of ids.entries()) {
    await store.addHost(aHost({ hostId, launchedAt: world.clock.now() - 600_000 }));
    const task = aTask({ taskId: `t${n}`, spec: aTaskSpec({ demand: { cpu: 512, memory: 900 }, ...spec }) });
    await store.acceptTask(task);
    // The other host is taken out for a moment, so that each gets one.
    const [other = ''] = ids.filter((id) => id !== hostId && ids.indexOf(id) < n);
    await store.setHostState('prod', other, { from: ['READY'], to: 'CORDONED', reason: 'for the test' });
    await schedulePass(world, 'prod', [task.taskId]);
    await store.setHostState('prod', other, { from: ['CORDONED'], to: 'READY', reason: 'for the test' });
    await seen(task, 'RUNNING');
  }
  world.advance(SETTLED_MS);

  async function seen(task: Pick<Task, 'taskId'>, lastStatus: 'RUNNING' | 'STOPPED') {
    const { attempt = 0 } = (await store.getTask(task.taskId)) ?? {};
    await observeTask(world, {
      cluster: 'prod',
      ecsTaskArn: `arn:${task.taskId}:${attempt}`,
      ref: { taskId: task.taskId, attempt },
      version: lastStatus === 'RUNNING' ? 2 : 9,
      lastStatus,
      desiredStatus: lastStatus,
      startedAt: world.clock.now(),
      ...(lastStatus === 'STOPPED' && { cause: 'STOPPED_BY_USER', detail: 'asked', exitCode: 143 }),
    });
  }
  const read = async () => (await store.getCluster('prod')) ?? cluster;
  const inState = async (state: Host['state']) =>
    (await store.listHosts('prod')).filter((host) => host.state === state);
  return { store, world, provisioned, seen, read, inState };
}

describe('consolidation', () => {
  it('empties one of two half-empty hosts: its task runs on the other, its attempts untouched, and says why', async () => {
    const { store, world, seen, read, inState } = await twoHalfEmpty();
    expect(await consolidate(world, await read())).toBe(1);
    const [draining] = await inState('DRAINING');
    expect(draining?.stateReason).toMatch(
      /^emptied to save money: its 1 task fits on other hosts: saves 0\.0850/,
    );
    const [moved = ''] = Object.keys(draining?.claims ?? {});
    expect(world.stopped).toEqual([`arn:${moved}:1`]);
    expect((await explainTask(world, moved))?.summary).toContain(
      `is being stopped: moved off ${draining?.hostId}`,
    );
    await seen({ taskId: moved }, 'STOPPED');
    expect(await store.getTask(moved)).toMatchObject({
      state: 'PENDING',
      attempt: 2,
      attemptsUsed: 0,
      notBefore: world.clock.now(),
      reason: { cause: 'PREEMPTED', detail: expect.stringContaining('emptied to save money') },
    });
    await schedulePass(world, 'prod', [moved]);
    const [rest] = await inState('READY');
    expect(Object.keys(rest?.claims ?? {}).sort()).toEqual(['t0', 't1']);
    expect((await inState('TERMINATING'))[0]?.stateReason).toContain('emptied: emptied to save money');
    world.advance(SETTLED_MS);
    expect(await consolidate(world, await read())).toBe(0);
  });

  it.each([
    ['may not be interrupted', { interruptible: false }],
    ['has constraints', { interruptible: true, placement: constrainedTo('memberOf') }],
    ['is spread', { interruptible: true, placement: constrainedTo('spread') }],
  ] as const)('leaves a task alone that %s', async (_why, spec) => {
    const { world, read, provisioned } = await twoHalfEmpty(spec);
    expect(await consolidate(world, await read())).toBe(0);
    expect(world.stopped).toEqual([]);
    expect(provisioned).toEqual([]);
  });

  it.each([
    ['the pool forbids it', { disruption: { ...DEFAULT_BUDGET, maxShare: 0 } }],
    ['its hour is spent', { disruption: { ...DEFAULT_BUDGET, maxHostsPerHour: 0 } }],
    ['no window is open', { disruption: { ...DEFAULT_BUDGET, windows: [] } }],
    ['the pool wants both hosts', { minHosts: 2 }],
    ['the moves cost too much', { disruption: { ...DEFAULT_BUDGET, moveUsd: 1 } }],
  ] as const)('does nothing while %s', async (_why, pool) => {
    const { world, read } = await twoHalfEmpty({ interruptible: true }, pool);
    expect(await consolidate(world, await read())).toBe(0);
    expect(world.stopped).toEqual([]);
  });

  it('leaves room to tasks that wait, and moves nothing to a host that stalls its tasks', async () => {
    const waiting = await twoHalfEmpty();
    const { store } = waiting;
    await store.acceptTask(aTask({ taskId: 'small', notBefore: Number.MAX_SAFE_INTEGER }));
    expect(await consolidate(waiting.world, await waiting.read())).toBe(1);
    const full = await twoHalfEmpty();
    const spec = aTaskSpec({ demand: { cpu: 1536, memory: 512 } });
    await full.store.acceptTask(aTask({ taskId: 'large', notBefore: Number.MAX_SAFE_INTEGER, spec }));
    expect(await consolidate(full.world, await full.read())).toBe(0);
    const stalled = await twoHalfEmpty();
    const report = { seenAt: stalled.world.clock.now(), pressure: { cpu: 0, memory: 0.5, io: 0 } };
    for (const { hostId } of await stalled.store.listHosts('prod'))
      stalled.store.tables.reports.set(hostId, report);
    expect(await consolidate(stalled.world, await stalled.read())).toBe(0);
  });

  it('spends the budget once when two rounds overlap', async () => {
    const { world, read } = await twoHalfEmpty();
    const cluster = await read();
    const emptied = await Promise.all([consolidate(world, cluster), consolidate(world, cluster)]);
    expect(emptied.sort()).toEqual([0, 1]);
  });

  it('keeps the host when a task that has to stay came to it meanwhile', async () => {
    const { store, world, read, inState } = await twoHalfEmpty();
    await store.acceptTask(aTask({ taskId: 'late', spec: aTaskSpec() }));
    const { setHostState } = store;
    store.setHostState = async (cluster, hostId, change) => {
      store.setHostState = setHostState;
      const host = await store.getHost(cluster, hostId);
      const late = { taskId: 'late', attempt: 1, ...aTaskSpec() };
      await store.claim({
        ...{ cluster, hostId, epoch: host?.epoch ?? 0, nowMs: 1, tasks: [late] },
        reason: { code: 'PLACED', detail: '' },
      });
      return setHostState(cluster, hostId, change);
    };
    expect(await consolidate(world, await read())).toBe(0);
    expect(await inState('READY')).toHaveLength(2);
    expect(world.stopped).toEqual([]);
  });

  it('is finished by the next round when it was cut off before its tasks were asked', async () => {
    const { store, world, read, inState } = await twoHalfEmpty();
    const { requestStop } = store;
    store.requestStop = async () => {
      throw new Error('cut off');
    };
    await expect(consolidate(world, await read())).rejects.toThrow('cut off');
    store.requestStop = requestStop;
    const [draining] = await inState('DRAINING');
    const [moved = ''] = Object.keys(draining?.claims ?? {});
    for (const taskId of ['t0', 't1']) {
      world.ecsTasks.push({
        cluster: 'prod',
        ecsTaskArn: `arn:${taskId}:1`,
        ref: { taskId, attempt: 1 },
        version: 3,
        lastStatus: 'RUNNING',
        desiredStatus: 'RUNNING',
      });
    }
    await reconcileCluster(world, await read());
    expect(world.stopped).toEqual([`arn:${moved}:1`]);
    expect((await store.getTask(moved))?.stopRequested?.code).toBe('PREEMPTED');
  });

  it('asks for cheaper hosts when none can be emptied, and for what a pool keeps in reserve', async () => {
    const size = { demand: { cpu: 1500, memory: 900 }, interruptible: true };
    const { world, read, provisioned } = await twoHalfEmpty(size, { desiredHosts: 1 });
    expect(await consolidate(world, await read())).toBe(0);
    expect(provisioned).toEqual(['hosts may be replaced by cheaper ones']);
    const reserved = await twoHalfEmpty({}, { minHosts: 3 });
    await consolidate(reserved.world, await reserved.read());
    expect(reserved.provisioned).toEqual(['a pool has less than it keeps in reserve']);
  });
});

function constrainedTo(what: 'memberOf' | 'spread'): TaskSpec['placement'] {
  return what === 'spread'
    ? { constraints: [], strategies: [{ type: 'spread', field: 'zone' }] }
    : {
        constraints: [{ type: 'memberOf', expression: 'attribute:ecs.availability-zone == us-east-1a' }],
        strategies: [],
      };
}
