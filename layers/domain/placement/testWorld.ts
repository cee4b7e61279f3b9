import type { Claim, Host } from '../model/host.ts';
import type { Cluster, InstanceType, Pool } from '../model/pool.ts';
import { minus, type Resources } from '../model/resources.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Placement, Task, TaskSpec } from '../model/task.ts';

/** Builders for tests and benchmarks: everything plausible, each call overriding what it is about. */

export const pool = (over: Partial<Pool> = {}): Pool => ({
  name: 'general',
  cluster: 'main',
  instanceTypes: ['*'],
  lifecycles: ['on-demand'],
  zones: ['us-east-1a', 'us-east-1b', 'us-east-1c'],
  minHosts: 0,
  maxHosts: 100,
  desiredHosts: 0,
  headroom: {},
  maxHostVcpus: 64,
  launchTemplate: 'lt-general',
  subnets: { 'us-east-1a': 'subnet-a', 'us-east-1b': 'subnet-b', 'us-east-1c': 'subnet-c' },
  idleHostMs: 60_000,
  alarmStep: 1,
  ...over,
});

export const cluster = (over: Partial<Cluster> = {}): Cluster => ({
  name: 'main',
  cells: 1,
  paused: false,
  pools: [pool()],
  ...over,
});

export const claim = (over: Partial<Claim> & Pick<Claim, 'taskId' | 'demand'>): Claim => ({
  attempt: 1,
  hostPorts: [],
  claimedAt: 0,
  group: 'other',
  priority: 0,
  interruptible: false,
  ...over,
});

/** `left` and `ports` follow from capacity and claims unless given. */
export function host(over: Partial<Host> & Pick<Host, 'hostId'>): Host {
  const capacity: Resources = over.capacity ?? { cpu: 4096, memory: 15_000 };
  const claims = over.claims ?? {};
  let left = capacity;
  for (const each of Object.values(claims)) left = minus(left, each.demand);
  return {
    cluster: 'main',
    pool: 'general',
    instanceType: 'm6i.xlarge',
    zone: 'us-east-1a',
    lifecycle: 'on-demand',
    architecture: 'x86_64',
    usdPerHour: 0.192,
    state: 'READY',
    stateReason: 'registered',
    epoch: 1,
    capacity,
    left,
    ports: Object.values(claims).flatMap(({ hostPorts }) => hostPorts),
    claims,
    attributes: {},
    launchedAt: 0,
    ...over,
  };
}

export const placement = (over: Partial<Placement> = {}): Placement => ({
  strategies: [],
  constraints: [],
  ...over,
});

export const spec = (over: Partial<TaskSpec> = {}): TaskSpec => ({
  taskDefinition: 'arn:aws:ecs:us-east-1:1:task-definition/job:1',
  family: 'job',
  group: 'family:job',
  containers: [],
  demand: { cpu: 1024, memory: 2048 },
  hostPorts: [],
  placement: placement(),
  priority: 0,
  retry: { maxAttempts: 1 },
  isolation: { qos: 'burstable' },
  interruptible: false,
  after: [],
  tags: {},
  ...over,
});

export const task = (taskId: string, over: Partial<TaskSpec> = {}, rest: Partial<Task> = {}): Task => ({
  taskId,
  cluster: 'main',
  source: 'test',
  idempotencyKey: taskId,
  ordinal: 0,
  spec: spec(over),
  state: 'PENDING',
  attempt: 1,
  attemptsUsed: 0,
  acceptedAt: 0,
  reason: { code: 'ACCEPTED', detail: 'accepted' },
  expiresAt: 0,
  ...rest,
});

export const snapshot = (over: Partial<Snapshot> = {}): Snapshot => ({
  cluster: cluster(),
  hosts: [],
  pending: [],
  morePending: false,
  openOrders: [],
  insufficientCapacity: [],
  instanceTypes: [],
  ...over,
});

export const instanceType = (
  name: string,
  vcpus: number,
  memory: number,
  usdPerHour: number,
  over: Partial<InstanceType> = {},
): InstanceType => ({
  name,
  architecture: 'x86_64',
  capacity: { cpu: vcpus * 1024, memory },
  usdPerHour,
  ...over,
});
