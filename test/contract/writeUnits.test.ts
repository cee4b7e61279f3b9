import { afterAll, expect, it } from 'vitest';
import { createDynamoStore } from '../../layers/store/dynamoStore.ts';
import { meterCapacity } from '../support/consumedCapacity.ts';
import { startDynoxide } from '../support/dynoxide.ts';
import { aCluster, aHost, aTask, aTaskSpec } from '../support/records.ts';

const database = await startDynoxide();
afterAll(() => database.stop());
const meter = meterCapacity(database.client);

const TASKS = 8;
const readCommands = new Set(['GetItemCommand', 'BatchGetItemCommand', 'QueryCommand']);

/**
 * Accept 1 + 1/8 of the arrival that names them; claim 2 (transaction) + 2/8 of the host; launch, run, finish 1 each; release
 * 1/8 of the host, whose item holds eight claims in its first kilobyte and leaves its attributes to a second item.
 */
const lives = [
  { life: 'placed at once', waits: false, budget: 6.5 },
  // The reason and the entry in the index 1 each, out of the index 1.
  { life: 'that waits first', waits: true, budget: 9.5 },
];

it.each(lives)('carries a plain task $life through its whole life for $budget write units', async (each) => {
  const { life, waits, budget } = each;
  const store = createDynamoStore({ client: database.client, table: await database.createTable() });
  await store.ensureCluster(aCluster());
  const attributes = Object.fromEntries(
    Array.from({ length: 35 }, (_, index) => [`ecs.capability.some-long-capability-name.${index}`, '']),
  );
  const host = aHost({ attributes });
  await store.addHost(host);

  const steps: [string, number, number][] = [];
  const writes = () =>
    [...meter.units].reduce((sum, [command, units]) => sum + (readCommands.has(command) ? 0 : units), 0);
  const all = () => [...meter.units.values()].reduce((sum, units) => sum + units, 0);
  const step = async (name: string, act: () => Promise<{ readonly outcome: string }[]>): Promise<void> => {
    meter.reset();
    const outcomes = new Set((await act()).map(({ outcome }) => outcome));
    expect([...outcomes], name).not.toContain('refused');
    expect([...outcomes], name).not.toContain('host-changed');
    steps.push([name, writes() / TASKS, (all() - writes()) / TASKS]);
  };

  const tasks = Array.from({ length: TASKS }, (_, index) =>
    aTask({
      taskId: `0123456789abcdef012345678${index}`,
      arriving: true,
      idempotencyKey: '8d3f2c1e-5b6a-4c7d-9e8f-0a1b2c3d4e5f',
      spec: aTaskSpec({
        demand: { cpu: 256, memory: 400 },
        containers: [{ name: 'app', command: ['process', 'order-1'], environment: { ORDER: 'order-1' } }],
        retry: { maxAttempts: 3 },
        timeoutSeconds: 600,
      }),
    }),
  );
  const every =
    (act: (ref: { taskId: string; attempt: number }) => Promise<{ readonly outcome: string }>) => () =>
      Promise.all(tasks.map(({ taskId, attempt }) => act({ taskId, attempt })));

  const arn = 'arn:aws:ecs:us-east-1:123456789012:task/prod/0123456789abcdef0123456789abcdef';
  await step('accept', async () => {
    const taskIds = tasks.map(({ taskId }) => taskId);
    await store.noteArrivals({ cluster: 'prod', at: 1_790_000_000_000, taskIds, expiresAt: 1_791_000_000 });
    return Promise.all(tasks.map((task) => store.acceptTask(task)));
  });
  const reason = {
    code: 'WAITING',
    detail: '0 of 1 hosts can take it (1 cpu): capacity is on its way',
    explanation: { hostsConsidered: 1, refusals: { cpu: 1 }, next: 'capacity is on its way' },
  } as const;
  if (waits) {
    await step(
      'wait',
      every((ref) => store.recordWait(ref, reason)),
    );
  }
  await step('claim', async () => [
    await store.claim({
      cluster: 'prod',
      hostId: host.hostId,
      epoch: 0,
      nowMs: 1_790_000_001_000,
      reason: { code: 'PLACED', detail: 'i-0123456789abcdef0: fits best, leaves cpu 0' },
      tasks: tasks.map(({ taskId, attempt, spec }) => ({
        taskId,
        attempt,
        demand: spec.demand,
        hostPorts: [],
        group: spec.group,
        priority: 0,
        interruptible: false,
        source: 'k3f9',
      })),
    }),
  ]);
  await step(
    'launch',
    every((ref) => store.recordLaunch(ref, arn)),
  );
  await step(
    'run',
    every((ref) =>
      store.recordRunning(ref, { ecsTaskArn: arn, ecsVersion: 3, startedAt: 1_790_000_002_000 }),
    ),
  );
  await step(
    'finish',
    every((ref) =>
      store.finishTask(ref, {
        state: 'SUCCEEDED',
        reason: { code: 'STOPPED', detail: 'exit code 0', cause: 'EXIT_ZERO' },
        endedAt: 1_790_000_003_000,
        exitCode: 0,
        ecsVersion: 5,
      }),
    ),
  );
  await step('release', async () => {
    const ends = tasks.map(({ taskId, attempt }) => ({ taskId, attempt }));
    const { released } = await store.releaseClaims('prod', host.hostId, ends, 1_790_000_003_000);
    return [{ outcome: released.length === TASKS ? 'applied' : 'refused' }];
  });

  const total = steps.reduce((sum, [, units]) => sum + units, 0);
  const lines = steps.map(
    ([name, write, read]) => `  ${name.padEnd(8)} ${write.toFixed(2)} write, ${read.toFixed(2)} read`,
  );
  process.stdout.write(
    `capacity units per task ${life}, at ${TASKS} tasks a claim:\n${lines.join('\n')}\n  total    ${total.toFixed(2)} write\n`,
  );
  expect(total).toBeGreaterThan(5);
  expect(total).toBeLessThanOrEqual(budget);
});
