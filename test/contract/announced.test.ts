import { describe, expect, it } from 'vitest';
import {
  announceEnd,
  announceLeaving,
  announcePool,
  announcePurchase,
  announceTask,
  taskRejected,
} from '../../layers/control/announce.ts';
import { announceArray } from '../../layers/control/countMember.ts';
import type { LeavingHost } from '../../layers/domain/model/host.ts';
import type { Reason } from '../../layers/domain/model/reason.ts';
import type { Task, TaskState } from '../../layers/domain/model/task.ts';
import { outgoingParsers } from '../../layers/events/out/outgoing.ts';
import type { OutgoingEvent } from '../../layers/ports/bus.ts';
import { aBought, anOrder, aPool } from '../support/records.ts';

const task: Task = {
  taskId: 'k5q3w7xj2mzn4bvtrf6ydhscga',
  cluster: 'demo',
  source: 'demo.shop',
  idempotencyKey: 'order-1001',
  ordinal: 0,
  spec: {
    taskDefinition: 'arn:aws:ecs:us-east-1:123456789012:task-definition/hello:3',
    family: 'hello',
    group: 'hello',
    containers: [],
    demand: { cpu: 256, memory: 128 },
    hostPorts: [],
    placement: { strategies: [], constraints: [] },
    priority: 0,
    retry: { maxAttempts: 1 },
    isolation: { qos: 'burstable' },
    interruptible: false,
    after: [],
    tags: { team: 'checkout' },
  },
  state: 'PENDING',
  attempt: 1,
  attemptsUsed: 0,
  acceptedAt: 1_795_515_330_000,
  reason: { code: 'ACCEPTED', detail: 'Recorded' },
  expiresAt: 1_800_000_000,
};

const placed = { hostId: 'i-0abc123def4567890', placedAt: 1_795_515_330_300 };
const running = {
  ...placed,
  ecsTaskArn: 'arn:aws:ecs:us-east-1:123456789012:task/demo/0a1b2c3d4e5f60718293a4b5c6d7e8f9',
  startedAt: 1_795_515_331_400,
};

const change = (state: TaskState, reason: Reason, more: Partial<Task> = {}): OutgoingEvent[] =>
  announceTask(task, { ...task, state, reason, ...more });

const waiting: Reason = {
  code: 'WAITING',
  detail: '0 of 2 hosts have room',
  explanation: {
    hostsConsidered: 2,
    refusals: { cpu: 1, memory: 1 },
    closest: { hostId: 'i-0abc123def4567890', lacks: { memory: 64 }, refusal: 'memory' },
    next: '1 host booting',
  },
};

const leaving: LeavingHost = {
  hostId: 'i-0abc123def4567890',
  cluster: 'demo',
  pool: 'default',
  instanceType: 'c6i.large',
  zone: 'us-east-1a',
  lifecycle: 'on-demand',
  stateReason: 'empty for 60 s',
  usdPerHour: 0.085,
  launchedAt: 1_795_515_330_000,
};

const announced: Readonly<Record<string, OutgoingEvent[]>> = {
  'Task Accepted': announceTask(undefined, task),
  'Task Waiting': [
    ...change('PENDING', waiting),
    ...change('PENDING', { code: 'BACKOFF', cause: 'HOST_LOST', detail: 'tries again' }, { attempt: 2 }),
  ],
  'Task Placed': change('PLACED', { code: 'PLACED', detail: 'Claimed' }, placed),
  'Task Running': change('RUNNING', { code: 'RUNNING', detail: 'Runs' }, running),
  'Task Succeeded': change(
    'SUCCEEDED',
    { code: 'STOPPED', cause: 'EXIT_ZERO', detail: 'Done' },
    { ...running, exitCode: 0, endedAt: 1_795_515_351_400 },
  ),
  'Task Failed': [
    ...change(
      'FAILED',
      { code: 'STOPPED', cause: 'OUT_OF_MEMORY', detail: 'Killed' },
      { ...running, exitCode: 137 },
    ),
    ...change('FAILED', { code: 'IMPOSSIBLE', detail: 'no pool can hold it' }),
  ],
  'Task Cancelled': change('CANCELLED', {
    code: 'STOPPED',
    cause: 'CANCELLED',
    detail: 'the operator asked for it',
  }),
  'Task Rejected': [
    taskRejected({ eventId: 'e-1', source: 'demo.shop', cluster: 'demo' }, [
      { field: 'count', rule: 'count must be a whole number.', fix: 'Write 1.' },
    ]),
  ],
  'Task Array Ended': announceArray(undefined, {
    arrayId: task.taskId,
    size: 2,
    cluster: 'demo',
    source: 'demo.shop',
    idempotencyKey: 'order-1001',
    createdAt: 1_795_515_330_000,
    endedAt: 1_795_515_930_000,
    succeeded: 1,
    failed: 1,
    cancelled: 0,
    expiresAt: 1_799_403_330,
  }),
  'Host Ended': announceEnd({ ...leaving, endedAt: 1_795_515_430_000 }),
  'Cluster Scaled': [
    ...announcePurchase(anOrder(), anOrder({ state: 'DONE', bought: [aBought({ lifecycle: 'spot' })] })),
    ...announceLeaving(leaving),
    ...announcePool(
      aPool(),
      aPool({ desiredHosts: 1, alarms: { backlog: { state: 'ALARM', at: 1_795_515_330_000, hosts: 1 } } }),
    ),
  ],
};

/** As a consumer gets it from EventBridge. */
const delivered = (event: OutgoingEvent): unknown =>
  JSON.parse(
    JSON.stringify({
      id: '6a7e8feb-b491-4cf7-a9f1-bf3700000001',
      source: 'berth',
      'detail-type': event.detailType,
      time: '2026-11-24T10:15:30Z',
      resources: event.resources,
      detail: event.detail,
    }),
  );

describe('what is announced', () => {
  it('covers every outgoing event', () => {
    expect(Object.keys(announced).sort()).toEqual(Object.keys(outgoingParsers).sort());
  });

  it.each(Object.keys(announced))('%s is of the shape that is promised', (detailType) => {
    const events = announced[detailType] ?? [];
    expect(events.length).toBeGreaterThan(0);
    for (const event of events) {
      expect(event.detailType).toBe(detailType);
      expect(outgoingParsers[detailType]?.(delivered(event))).toMatchObject({ ok: true });
    }
  });
});
