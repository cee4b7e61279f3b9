import type { Host } from '../../layers/domain/model/host.ts';
import type { BoughtHosts, CapacityOrder, Cluster, Pool } from '../../layers/domain/model/pool.ts';
import type { Task, TaskSpec } from '../../layers/domain/model/task.ts';

/** Plain records for tests, each field overridable. */
export const aTaskSpec = (over: Partial<TaskSpec> = {}): TaskSpec => ({
  taskDefinition: 'arn:aws:ecs:us-east-1:123456789012:task-definition/web:7',
  family: 'web',
  group: 'family:web',
  containers: [],
  demand: { cpu: 256, memory: 512 },
  hostPorts: [],
  placement: { strategies: [{ type: 'binpack' }], constraints: [] },
  priority: 0,
  retry: { maxAttempts: 3 },
  isolation: { qos: 'burstable' },
  interruptible: false,
  after: [],
  tags: {},
  ...over,
});

export const aTask = (over: Partial<Task> = {}): Task => ({
  taskId: 't1',
  cluster: 'prod',
  source: 'shop.orders',
  idempotencyKey: 'order-1',
  ordinal: 0,
  spec: aTaskSpec(),
  state: 'PENDING',
  attempt: 1,
  attemptsUsed: 0,
  acceptedAt: 1_790_000_000_000,
  reason: { code: 'ACCEPTED', detail: 'accepted from shop.orders' },
  expiresAt: 1_800_000_000,
  ...over,
});

export const aHost = (over: Partial<Host> = {}): Host => ({
  hostId: 'i-0123456789abcdef0',
  cluster: 'prod',
  pool: 'general',
  instanceType: 'c6i.large',
  zone: 'us-east-1a',
  lifecycle: 'on-demand',
  architecture: 'x86_64',
  usdPerHour: 0.085,
  state: 'READY',
  stateReason: 'registered in ECS',
  epoch: 0,
  capacity: { cpu: 2048, memory: 3700 },
  left: { cpu: 2048, memory: 3700 },
  ports: [],
  claims: {},
  attributes: { 'ecs.availability-zone': 'us-east-1a' },
  launchedAt: 1_790_000_000_000,
  ...over,
});

export const aPool = (over: Partial<Pool> = {}): Pool => ({
  name: 'general',
  cluster: 'prod',
  instanceTypes: ['c6i.*'],
  lifecycles: ['on-demand'],
  zones: ['us-east-1a'],
  minHosts: 0,
  maxHosts: 10,
  desiredHosts: 0,
  headroom: {},
  maxHostVcpus: 16,
  launchTemplate: 'lt-1',
  subnets: { 'us-east-1a': 'subnet-1' },
  idleHostMs: 60_000,
  alarmStep: 1,
  ...over,
});

export const aCluster = (over: Partial<Cluster> = {}): Cluster => ({
  name: 'prod',
  cells: 1,
  paused: false,
  pools: [aPool()],
  ...over,
});

export const aBought = (over: Partial<BoughtHosts> = {}): BoughtHosts => ({
  instanceType: 'c6i.large',
  zone: 'us-east-1a',
  lifecycle: 'on-demand',
  hostIds: ['i-1'],
  ...over,
});

export const anOrder = (over: Partial<CapacityOrder> = {}): CapacityOrder => ({
  orderId: 'order1',
  cluster: 'prod',
  pool: 'general',
  state: 'OPEN',
  createdAt: 1_790_000_000_000,
  lifecycle: 'on-demand',
  hosts: 1,
  offers: [],
  reason: 'one task waits',
  bought: [],
  errors: [],
  ...over,
});
