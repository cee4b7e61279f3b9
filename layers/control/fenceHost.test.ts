import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { claimRequest } from '../../test/contract/store/world.ts';
import { aCluster, aHost, aTask } from '../../test/support/records.ts';
import type { Host } from '../domain/model/host.ts';
import type { ObservedHost } from '../ports/containers.ts';
import { DEREGISTERED, REGISTERED_ANEW } from './fenceHost.ts';
import { SPOT_INTERRUPTED } from './hostReasons.ts';
import { observeHost, observeMachine } from './observeHost.ts';
import { observeTask } from './observeTask.ts';
import { explainTask } from './operate/explain.ts';
import { ABSENCE_PROOF_MS } from './reconcile/hosts.ts';
import { reconcileCluster } from './reconcile/reconcileCluster.ts';
import { fakeWorld } from './testWorld.ts';

/** A registered host that runs one attempt, whose agent then registers it anew, as `second`. */
async function running(over: Partial<Host> = {}) {
  const store = createMemoryStore();
  const fake = fakeWorld(store);
  const deregistered: string[] = [];
  const provisioned: string[] = [];
  const registrations: ObservedHost[] = [];
  const world = {
    ...fake,
    bus: { ...fake.bus, provision: async (_cluster: string, why: string) => void provisioned.push(why) },
    containers: {
      ...fake.containers,
      deregister: async (_cluster: string, arn: string) => void deregistered.push(arn),
      listHosts: async () => registrations,
    },
  };
  const cluster = aCluster();
  await store.ensureCluster(cluster);
  const host = aHost({
    launchedAt: world.clock.now(),
    containerInstanceArn: 'ci/1',
    registeredAt: 10,
    ...over,
  });
  const task = aTask();
  await store.addHost({ ...host, state: 'READY' });
  await store.acceptTask(task);
  await store.claim(claimRequest(host, [task]));
  await store.recordRunning(task, { ecsTaskArn: 'task/1', ecsVersion: 2, startedAt: world.clock.now() });
  const { hostId, capacity } = host;
  const facts = { hostId, cluster: 'prod', capacity, attributes: {}, status: 'ACTIVE', version: 1 };
  const first = {
    ...facts,
    containerInstanceArn: 'ci/1',
    registeredAt: 10,
    agentConnected: false,
    version: 9,
  };
  const second = { ...facts, containerInstanceArn: 'ci/2', registeredAt: 90, agentConnected: true };
  const stopped = {
    ref: { taskId: task.taskId, attempt: 1 },
    cluster: 'prod',
    ecsTaskArn: 'task/1',
    version: 3,
    lastStatus: 'STOPPED',
    desiredStatus: 'STOPPED',
    cause: 'HOST_LOST' as const,
    mayRunOn: true as const,
    detail: 'Container instance deregistration forced by user',
  };
  return {
    ...{ store, world, cluster, deregistered, provisioned, registrations, first, second, stopped },
    host: () => store.getHost('prod', hostId),
    task: () => store.getTask(task.taskId),
    gone: () => observeMachine(world, { hostId, state: 'terminated', time: world.clock.now() }),
    release: () => store.releaseClaims('prod', hostId, [{ taskId: task.taskId, attempt: 1 }], 50),
  };
}

const fenced = { state: 'TERMINATING', stateReason: REGISTERED_ANEW, containerInstanceArn: 'ci/1' };
const queuedAgain = {
  state: 'PENDING',
  attempt: 2,
  attemptsUsed: 0,
  reason: { code: 'BACKOFF', cause: 'HOST_LOST' },
};

describe('a host that is registered anew under claims', () => {
  it('is given up, and its attempts are over when EC2 says that it is gone, uncounted', async () => {
    const { world, host, task, gone, second, deregistered, provisioned } = await running();
    expect(await observeHost(world, second)).toBe('freed');
    expect(await host()).toMatchObject(fenced);
    expect(await task()).toMatchObject({ state: 'RUNNING', attempt: 1 });
    expect(provisioned).toEqual(['a host to give back']);
    expect(deregistered).toEqual([]);
    await gone();
    expect(await task()).toMatchObject(queuedAgain);
    expect(await host()).toBeUndefined();
  });

  it('stays so whatever ECS says of either registration, doubled, late or out of order', async () => {
    const { world, host, task, first, second, stopped, deregistered } = await running();
    await observeHost(world, { ...second, agentConnected: false });
    expect(await host()).toMatchObject(fenced);
    const inactive = { ...first, status: 'INACTIVE', version: 12 };
    for (const seen of [second, first, { ...first, agentConnected: true, version: 11 }, inactive, second])
      expect(await observeHost(world, seen)).toBe('ignored');
    expect(await observeTask(world, stopped)).toBe('ignored');
    expect(await host()).toMatchObject(fenced);
    expect(await task()).toMatchObject({ state: 'RUNNING', attempt: 1 });
    expect(deregistered).toEqual([]);
  });

  it('is given up as well when the claim came after it was read', async () => {
    const { world, store, host, second } = await running();
    const read = { ...(await store.getHost('prod', second.hostId)), claims: {} } as Host;
    expect(await observeHost({ ...world, store: { ...store, getHost: async () => read } }, second)).toBe(
      'freed',
    );
    expect(await host()).toMatchObject(fenced);
  });

  it('is not given up for a registration that has been accepted since', async () => {
    const { world, store, host, second, release } = await running();
    const read = await store.getHost('prod', second.hostId);
    await release();
    await observeHost(world, second);
    const late = { ...world, store: { ...store, getHost: async () => read } };
    expect(await observeHost(late, second)).toBe('ignored');
    expect(await host()).toMatchObject({ state: 'READY', containerInstanceArn: 'ci/2' });
  });

  it('keeps the cause of a Spot interruption', async () => {
    const { world, task, gone, second, store } = await running({ lifecycle: 'spot' });
    const change = { from: ['READY'], to: 'DRAINING', reason: SPOT_INTERRUPTED } as const;
    await store.setHostState('prod', second.hostId, change);
    await observeHost(world, second);
    await gone();
    expect(await task()).toMatchObject({ ...queuedAgain, reason: { cause: 'SPOT_INTERRUPTION' } });
  });

  it('is what a task that waits for its end is explained with', async () => {
    const { world, second } = await running();
    await observeHost(world, second);
    expect((await explainTask(world, 't1'))?.summary).toBe(
      `Attempt 1 is on ${second.hostId}, which is given up: ${REGISTERED_ANEW}. ` +
        'It counts as over, and another may begin, when EC2 says that the instance is gone.',
    );
  });
});

describe('reconcile', () => {
  it('gives up a host whose new registration no event told of, and drops the old one only when it is gone', async () => {
    const { world, cluster, host, task, first, second, registrations, deregistered } = await running();
    registrations.push(first, second);
    expect(await reconcileCluster(world, cluster)).toMatchObject({ hostsFenced: 1, registrationsDropped: 0 });
    expect(await host()).toMatchObject(fenced);
    expect(await reconcileCluster(world, cluster)).toMatchObject({ hostsFenced: 0, registrationsDropped: 0 });
    // Whatever ECS has forgotten meanwhile proves nothing.
    world.advance(ABSENCE_PROOF_MS + 1_000);
    await reconcileCluster(world, cluster);
    expect(await task()).toMatchObject({ state: 'RUNNING', attempt: 1 });
    registrations.pop();
    const list = async () =>
      (await world.machines.list('prod')).map((machine) => ({ ...machine, state: 'terminated' as const }));
    const [machine] = await list();
    const machines = { ...world.machines, list: async () => (machine === undefined ? [] : [machine]) };
    await reconcileCluster({ ...world, machines }, cluster);
    expect(await task()).toMatchObject(queuedAgain);
    await reconcileCluster({ ...world, machines }, cluster);
    expect(deregistered).toEqual(['ci/1']);
  });

  it('drops a registration that an empty host has left behind while whoever followed it was cut off', async () => {
    const { world, store, cluster, first, second, registrations, deregistered, release } = await running();
    await release();
    const { containerInstanceArn, capacity, attributes, version: ecsVersion, registeredAt } = second;
    const seen = { containerInstanceArn, capacity, attributes, ecsVersion, registeredAt };
    await store.registerHost('prod', second.hostId, seen);
    registrations.push(first, second);
    expect(await reconcileCluster(world, cluster)).toMatchObject({ hostsFenced: 0, registrationsDropped: 1 });
    expect(deregistered).toEqual(['ci/1']);
  });
});

describe('an attempt that ECS calls STOPPED because its host was deregistered', () => {
  it('is not over, and its host is given up', async () => {
    const { world, host, task, gone, stopped } = await running();
    expect(await observeTask(world, stopped)).toBe('freed');
    expect(await observeTask(world, stopped)).toBe('ignored');
    expect(await host()).toMatchObject({ state: 'TERMINATING', stateReason: DEREGISTERED });
    expect(await task()).toMatchObject({ state: 'RUNNING', attempt: 1 });
    await gone();
    expect(await task()).toMatchObject(queuedAgain);
  });

  it('is not over before its agent is there again, when it was asked to stop and nobody told of its start', async () => {
    const { world, store, host, task, first, stopped } = await running();
    const { mayRunOn: _, ...unproven } = { ...stopped, cause: 'STOPPED_BY_USER' as const };
    const why = { code: 'TIMEOUT', detail: 'it ran for more than its 26 s' } as const;
    await store.requestStop(stopped.ref.taskId, why);
    await observeHost(world, first);
    expect(await observeTask(world, unproven)).toBe('ignored');
    expect(await task()).toMatchObject({ state: 'RUNNING', attempt: 1 });
    expect(await observeHost(world, { ...first, agentConnected: true, version: 10 })).toBe('freed');
    expect(await host()).toMatchObject({ state: 'READY' });
    expect(await observeTask(world, unproven)).toBe('freed');
    expect(await task()).toMatchObject({ attempt: 2, reason: { cause: 'TIMEOUT' } });
  });

  it('is not over when its agent stays away: the host that ECS does not list any more is given up', async () => {
    const { world, cluster, host, task, first, stopped } = await running();
    const { mayRunOn: _, ...unproven } = { ...stopped, cause: 'STOPPED_BY_USER' as const };
    const [machine] = await world.machines.list('prod');
    const machines = { ...world.machines, list: async () => (machine === undefined ? [] : [machine]) };
    const containers = { ...world.containers, listTasks: async () => [unproven] };
    await observeHost(world, { ...first, status: 'INACTIVE' });
    for (const [afterMs, state] of [
      [800_000, 'CORDONED'],
      [200_000, 'TERMINATING'],
    ] as const) {
      world.advance(afterMs);
      await reconcileCluster({ ...world, machines, containers }, cluster);
      expect(await host()).toMatchObject({ state });
      expect(await task()).toMatchObject({ state: 'RUNNING', attempt: 1 });
    }
  });

  it('is over when its host is gone already', async () => {
    const { world, store, task, stopped } = await running();
    await store.removeHost('prod', aHost().hostId, { ifEmpty: false });
    expect(await observeTask(world, stopped)).toBe('freed');
    expect(await task()).toMatchObject(queuedAgain);
  });
});
