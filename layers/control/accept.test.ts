import { expect, test } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aPool } from '../../test/support/records.ts';
import { parseTaskRequest } from '../events/taskRequested/parse.ts';
import type { TaskDefinition } from '../ports/containers.ts';
import { type AcceptWorld, acceptRequest } from './accept.ts';

const definition: TaskDefinition = {
  arn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/hello:3',
  family: 'hello',
  revision: 3,
  networkMode: 'bridge',
  memberOf: ['attribute:ecs.instance-type =~ c6i.*'],
  containers: [
    {
      name: 'main',
      image: 'hello',
      cpuUnits: 256,
      memoryMiB: 64,
      gpus: 0,
      essential: true,
      hostPorts: ['80/tcp'],
    },
  ],
};

async function world() {
  const store = createMemoryStore();
  const wakes: string[][] = [];
  await store.ensureCluster(aCluster({ name: 'demo', pools: [aPool({ name: 'default', cluster: 'demo' })] }));
  const parts = {
    store,
    containers: {
      describeTaskDefinition: async (name: string) => (name === 'hello' ? definition : undefined),
    },
    bus: {
      wake: async (_: string, __: string, options?: { taskIds?: readonly string[] }) =>
        void wakes.push([...(options?.taskIds ?? [])]),
    },
    clock: { now: () => 1_000_000 },
    metrics: { count: () => {}, sample: () => {} },
  };
  return { store, wakes, world: parts as unknown as AcceptWorld };
}

function request(over: object = {}) {
  const parsed = parseTaskRequest({ cluster: 'demo', taskDefinition: 'hello', ...over });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

const origin = { source: 'shop', idempotencyKey: 'order-17' };

test('a request becomes one task an ordinal, pinned to a revision, and wakes the scheduler with their ids', async () => {
  const { world: parts, wakes } = await world();
  const accepted = await acceptRequest(parts, request({ count: 3 }), origin);
  if (accepted.outcome !== 'accepted') throw new Error('rejected');
  expect(accepted.tasks.map((task) => task.ordinal)).toEqual([0, 1, 2]);
  expect(new Set(accepted.tasks.map((task) => task.taskId)).size).toBe(3);
  expect(accepted.tasks[0]?.spec).toMatchObject({
    taskDefinition: definition.arn,
    demand: { cpu: 256, memory: 64 },
    hostPorts: ['80/tcp'],
  });
  expect(wakes).toEqual([accepted.tasks.map((task) => task.taskId)]);
});

test('a repeat joins the tasks on record, and wakes again in case the first call was cut off', async () => {
  const { world: parts, wakes } = await world();
  const first = await acceptRequest(parts, request({ count: 2 }), origin);
  const again = await acceptRequest(parts, request({ count: 2, priority: 5 }), origin);
  expect(again).toMatchObject({ outcome: 'accepted', duplicates: 2 });
  expect(again.outcome === 'accepted' && again.tasks).toEqual(first.outcome === 'accepted' && first.tasks);
  expect(wakes).toHaveLength(2);
});

test('the definition’s own constraints are the task’s: ECS would refuse a launch against them', async () => {
  const { world: parts } = await world();
  const own = [{ type: 'distinctInstance' }];
  const accepted = await acceptRequest(parts, request({ placement: { constraints: own } }), origin);
  expect(accepted.outcome === 'accepted' && accepted.tasks[0]?.spec.placement.constraints).toEqual([
    { type: 'distinctInstance' },
    { type: 'memberOf', expression: 'attribute:ecs.instance-type =~ c6i.*' },
  ]);
});

test('a strict profile keeps the task off hosts whose kernel lacks what it names', async () => {
  const { world: parts } = await world();
  const isolation = { qos: 'guaranteed', strict: true, cpu: { partition: 'root' } };
  const accepted = await acceptRequest(parts, request({ isolation }), origin);
  expect(accepted.outcome === 'accepted' && accepted.tasks[0]?.spec.placement.constraints).toContainEqual({
    type: 'memberOf',
    expression: 'attribute:berth.agent-silent !exists and attribute:berth.cannot.cpusetPartition !exists',
  });
});

test.each([
  [{ cluster: 'dmeo' }, 'cluster', 'demo'],
  [{ taskDefinition: 'helo' }, 'taskDefinition', 'Register'],
  [{ containers: [{ name: 'mian' }] }, 'containers[0].name', 'main'],
  [{ placement: { pool: 'gpu' } }, 'placement.pool', 'default'],
])('%j is refused with its field and the fix, and leaves nothing', async (over, field, fix) => {
  const { world: parts, store, wakes } = await world();
  const rejected = await acceptRequest(parts, request(over), origin);
  if (rejected.outcome !== 'rejected') throw new Error('accepted');
  expect(rejected.problems.map((problem) => problem.field)).toEqual([field]);
  expect(rejected.problems[0]?.fix).toContain(fix);
  expect((await store.listPending('demo', 10)).tasks).toEqual([]);
  expect(wakes).toEqual([]);
});
