import { endless, plan, request, type Scenario } from './scenario.ts';

/** Two bursts of the same length, so that their ends come in the same batches of events. */
export const endTogether: Scenario = {
  name: 'attempts that end together, some for good and some to be tried again',
  plan: plan([
    request({ count: 4, cpu: 256, memory: 256 }),
    request({
      key: 'two',
      count: 3,
      cpu: 256,
      memory: 256,
      behaviour: { runMs: 5_000, exitCode: 0, failures: 1 },
    }),
  ]),
  ends: ['SUCCEEDED'],
};

/** The canonical ways through a task's life; each is run with a crash at every call that it makes. */
export const scenarios: readonly Scenario[] = [
  { name: 'one task on an empty cluster', plan: plan([request()]), ends: ['SUCCEEDED'], announced: true },
  endTogether,
  { name: 'a request for many', plan: plan([request({ count: 6 })]), ends: ['SUCCEEDED'] },
  { name: 'the same request twice', plan: plan([request({ count: 2, sends: 2 })]), ends: ['SUCCEEDED'] },
  {
    name: 'more than the pool may hold at once',
    plan: plan([request({ count: 3, cpu: 2048, memory: 1024 })], [], { maxHosts: 1, maxHostVcpus: 2 }),
    ends: ['SUCCEEDED'],
  },
  {
    name: 'a failure and its retry',
    plan: plan([request({ behaviour: { runMs: 2_000, exitCode: 0, failures: 1 } })]),
    ends: ['SUCCEEDED'],
  },
  {
    name: 'failures until no attempt is left',
    plan: plan([request({ behaviour: { runMs: 2_000, exitCode: 3, failures: 0 } })]),
    ends: ['FAILED'],
  },
  {
    name: 'an image that can be pulled at the second try, and a task that then runs out of memory once',
    plan: plan([
      request({ behaviour: { runMs: 2_000, exitCode: 0, failures: 1, outOfMemory: true, pullFailures: 1 } }),
    ]),
    ends: ['SUCCEEDED'],
    happens: [/OutOfMemoryError/, /CannotPullContainerError/],
  },
  {
    name: 'an image that is not there',
    plan: plan([request({ behaviour: { runMs: 2_000, exitCode: 0, failures: 0, pullFailures: 4 } })]),
    ends: ['FAILED'],
  },
  {
    name: 'a timeout',
    plan: plan([request({ timeoutSeconds: 5, maxAttempts: 1, behaviour: endless })]),
    ends: ['FAILED'],
  },
  {
    name: 'a cancellation while it waits',
    plan: plan([request({ behaviour: endless })], [{ kind: 'cancel', atMs: 2_000, key: 'one', ordinal: 0 }]),
    ends: ['CANCELLED'],
  },
  {
    name: 'a cancellation while it runs',
    plan: plan([request({ behaviour: endless })], [{ kind: 'cancel', atMs: 45_000, key: 'one', ordinal: 0 }]),
    ends: ['CANCELLED'],
  },
  {
    name: 'the death of a host',
    plan: plan(
      [request({ count: 2, behaviour: { runMs: 30_000, exitCode: 0, failures: 0 } })],
      [{ kind: 'kill', atMs: 45_000, pick: 0 }],
    ),
    ends: ['SUCCEEDED'],
  },
  {
    name: 'a Spot interruption',
    plan: plan(
      [request({ interruptible: true, behaviour: { runMs: 20_000, exitCode: 0, failures: 0 } })],
      [{ kind: 'interrupt', atMs: 45_000, pick: 0 }],
      { lifecycles: ['spot'] },
    ),
    ends: ['SUCCEEDED'],
  },
  {
    name: 'a drain with a task that may be moved and one that may not',
    plan: plan(
      [
        request({ interruptible: true, behaviour: { runMs: 20_000, exitCode: 0, failures: 0 } }),
        request({ key: 'two', behaviour: { runMs: 20_000, exitCode: 0, failures: 0 } }),
      ],
      [{ kind: 'drain', atMs: 45_000, pick: 0 }],
    ),
    ends: ['SUCCEEDED', 'SUCCEEDED'],
  },
  {
    name: 'a preemption',
    plan: plan(
      [
        request({
          cpu: 2048,
          memory: 1024,
          interruptible: true,
          behaviour: { runMs: 30_000, exitCode: 0, failures: 0 },
        }),
        request({ key: 'urgent', atMs: 45_000, cpu: 2048, memory: 1024, priority: 10 }),
        request({ key: 'third', atMs: 45_500, count: 2, cpu: 1024, memory: 512 }),
      ],
      [],
      { maxHosts: 1, maxHostVcpus: 2 },
    ),
    ends: ['SUCCEEDED'],
  },
  {
    name: 'an agent that is cut off for a while',
    plan: plan(
      [request({ behaviour: { runMs: 15_000, exitCode: 0, failures: 0 } })],
      [{ kind: 'partition', atMs: 40_000, pick: 0 }],
    ),
    ends: ['SUCCEEDED'],
  },
  {
    name: 'a host that loses its disk and registers anew',
    plan: plan(
      [request({ count: 2, behaviour: { runMs: 15_000, exitCode: 0, failures: 0 } })],
      [{ kind: 'loseData', atMs: 40_000, pick: 0 }],
    ),
    ends: ['SUCCEEDED'],
    happens: [/TERMINATING \(its container agent lost its data/],
  },
  {
    name: 'an agent that loses its data alone, while what it ran runs on',
    plan: plan(
      [request({ count: 2, maxAttempts: 1, behaviour: { runMs: 30_000, exitCode: 0, failures: 0 } })],
      [{ kind: 'forget', atMs: 40_000, pick: 0 }],
    ),
    ends: ['SUCCEEDED'],
    happens: [/TERMINATING \(its container agent lost its data/],
  },
  {
    name: 'a cancellation of what an agent has forgotten',
    plan: plan(
      [request({ behaviour: endless })],
      [
        { kind: 'forget', atMs: 40_000, pick: 0 },
        { kind: 'cancel', atMs: 45_000, key: 'one', ordinal: 0 },
      ],
    ),
    ends: ['CANCELLED'],
    happens: [/TERMINATING \(its container agent lost its data/],
  },
  {
    name: 'an empty host that is registered anew and takes the next task',
    plan: plan(
      [request(), request({ key: 'two', atMs: 70_000 })],
      [{ kind: 'forget', atMs: 45_000, pick: 0 }],
      { maxHosts: 1 },
    ),
    ends: ['SUCCEEDED'],
    happens: [/"status":"INACTIVE"/, /READY \(its container agent is connected again\).* claims \w/],
  },
  {
    name: 'a host that is deregistered by force under its tasks',
    plan: plan(
      [request({ count: 2, maxAttempts: 1, behaviour: { runMs: 30_000, exitCode: 0, failures: 0 } })],
      [{ kind: 'deregister', atMs: 45_000, pick: 0 }],
    ),
    ends: ['SUCCEEDED'],
    happens: [/TERMINATING \(it was deregistered in ECS under its tasks/],
  },
  {
    name: 'an alarm that grows the pool and lets it shrink again',
    plan: plan([request()], [{ kind: 'alarm', atMs: 1_000, forMs: 50_000 }]),
    ends: ['SUCCEEDED'],
  },
  {
    name: 'a pause and its end',
    plan: plan([request({ atMs: 3_000 })], [{ kind: 'pause', atMs: 1_000, forMs: 20_000 }]),
    ends: ['SUCCEEDED'],
  },
  {
    name: 'a task that waits for another, and one that waits for a failure',
    plan: plan([
      request({ maxAttempts: 1, behaviour: { runMs: 2_000, exitCode: 0, failures: 1 } }),
      request({ key: 'then', after: [{ key: 'one', condition: 'completion' }] }),
      request({ key: 'never', after: [{ key: 'one', condition: 'success' }] }),
    ]),
    ends: ['FAILED', 'SUCCEEDED', 'FAILED'],
  },
  {
    name: 'a cancellation of what others wait for',
    plan: plan(
      [
        request({ behaviour: endless }),
        request({ key: 'then', array: true, count: 2, after: [{ key: 'one', condition: 'success' }] }),
      ],
      [{ kind: 'cancel', atMs: 45_000, key: 'one', ordinal: 0 }],
    ),
    ends: ['CANCELLED'],
  },
  {
    name: 'a pause of one source',
    plan: plan(
      [request({ atMs: 3_000 }), request({ key: 'two', atMs: 3_000, source: 'reports' })],
      [{ kind: 'pauseSource', atMs: 1_000, forMs: 20_000, source: 'reports' }],
    ),
    ends: ['SUCCEEDED'],
  },
  {
    // Each host holds one of each; when the long-running ones are alone, one host is enough for both.
    name: 'two half-empty hosts that become one',
    plan: plan(
      [
        request({
          count: 2,
          cpu: 1536,
          memory: 1024,
          behaviour: { runMs: 10_000, exitCode: 0, failures: 0 },
        }),
        request({
          key: 'movable',
          count: 2,
          cpu: 512,
          memory: 1024,
          interruptible: true,
          maxAttempts: 1,
          behaviour: { runMs: 100_000, exitCode: 0, failures: 0 },
        }),
      ],
      [],
      { maxHostVcpus: 2 },
    ),
    ends: ['SUCCEEDED'],
    happens: [/DRAINING \(emptied to save money: its 1 task fits on other hosts/],
  },
  {
    name: 'a host that a cheaper one replaces',
    plan: plan([
      request({ cpu: 3584, memory: 1024, behaviour: { runMs: 10_000, exitCode: 0, failures: 0 } }),
      request({
        key: 'movable',
        cpu: 512,
        memory: 1024,
        interruptible: true,
        maxAttempts: 1,
        behaviour: { runMs: 150_000, exitCode: 0, failures: 0 },
      }),
    ]),
    ends: ['SUCCEEDED'],
    happens: [/BOOTING \(1 x sim.large on-demand: replaces i-/, /DRAINING \(emptied to save money/],
  },
  {
    name: 'more tasks than their concurrency key allows at a time',
    plan: plan([
      request({ count: 3, concurrency: { key: 'db', max: 1 } }),
      request({ key: 'two', atMs: 200, concurrency: { key: 'db', max: 2 } }),
      request({ key: 'free', atMs: 300 }),
    ]),
    ends: ['SUCCEEDED'],
    happens: [/key "db" has 1 of 1 places taken/],
  },
  {
    name: 'the death of a host whose task holds the only place of its key',
    plan: plan(
      [
        request({
          count: 2,
          concurrency: { key: 'db', max: 1 },
          behaviour: { runMs: 30_000, exitCode: 0, failures: 0 },
        }),
      ],
      [{ kind: 'kill', atMs: 45_000, pick: 0 }],
    ),
    ends: ['SUCCEEDED'],
  },
  {
    name: 'an array that waits for another, member by member',
    plan: plan([
      request({ count: 3, array: true, cpu: 1024 }),
      request({
        key: 'two',
        atMs: 200,
        count: 3,
        array: true,
        after: [{ key: 'one', condition: 'success', byIndex: true }],
      }),
    ]),
    ends: ['SUCCEEDED'],
    happens: [/BLOCKED/],
  },
  {
    name: 'tasks of two sources that share one host',
    plan: plan(
      [
        request({ count: 4, cpu: 1024 }),
        request({ key: 'two', atMs: 200, count: 2, cpu: 1024, source: 'reports' }),
      ],
      [],
      { maxHosts: 1, maxHostVcpus: 2 },
    ),
    ends: ['SUCCEEDED'],
  },
  {
    name: 'a redrive of a request given up',
    plan: plan([request({ count: 2 })], [{ kind: 'outage', atMs: 0, forMs: 320_000, of: 'accept' }]),
    ends: ['SUCCEEDED'],
    happens: [/launch-1 is given up after 10 receives/, /launch-1 is redriven/],
  },
  {
    // The queue's other wakes place the task meanwhile: what comes back finds nothing left to do.
    name: 'a redrive of wakes given up',
    plan: plan(
      [request(), request({ key: 'two', atMs: 200_000 })],
      [{ kind: 'outage', atMs: 0, forMs: 320_000, of: 'schedule' }],
    ),
    ends: ['SUCCEEDED'],
    happens: [/wake-1 is given up after 10 receives/, /wake-1 is redriven/],
  },
];
