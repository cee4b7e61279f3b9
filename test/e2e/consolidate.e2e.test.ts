import { afterAll, beforeAll, expect, test } from 'vitest';
import { taskIdOf } from '../../layers/control/taskId.ts';
import { Berth } from './support/berth.ts';
import { entriesOf, explain, registerHello, waitForState } from './support/tasks.ts';
import { until } from './support/until.ts';

/** `reconcile` comes every minute; hosts and tasks are left alone only for a moment, so that the first round may act. */
const berth = new Berth({
  bootMs: 500,
  parameters: {
    PoolInstanceTypes: '["t3.small"]',
    PoolMaxHosts: '2',
    PoolIdleHostSeconds: '3',
    PoolDisruption: '{"settleSeconds":5}',
  },
});

interface Status {
  readonly hosts: readonly { readonly hostId: string; readonly state: string; readonly tasks: number }[];
}

const request = (idempotencyKey: string, cpu: number, seconds: number, interruptible: boolean) => ({
  cluster: 'demo',
  taskDefinition: 'hello',
  idempotencyKey,
  interruptible,
  retry: { maxAttempts: 1 },
  containers: [
    {
      name: 'main',
      command: ['sh', '-c', `trap 'exit 3' TERM; sleep ${seconds} & wait $!`],
      cpu,
      memory: 64,
    },
  ],
});
const idOf = (key: string): string => taskIdOf('e2e.shop', key, 0);
const status = () => berth.operate<Status>({ operation: 'status', cluster: 'demo' });
const MOVABLE = ['movable-1', 'movable-2'];
const LARGE = ['large-1', 'large-2'];

beforeAll(async () => {
  await berth.start();
  await registerHello(berth);
});
afterAll(() => berth.remove());

test('two half-empty hosts become one: a task is moved, runs to its end, and has used none of its attempts', async () => {
  const requests = [
    ...LARGE.map((key) => request(key, 1_536, 600, false)),
    ...MOVABLE.map((key) => request(key, 512, 90, true)),
  ];
  await berth.aws('events', 'put-events', '--entries', entriesOf(requests));
  const placed = await Promise.all(
    [...LARGE, ...MOVABLE].map((key) => waitForState(berth, idOf(key), ['RUNNING'])),
  );
  expect(new Set(placed.map(({ hostId }) => hostId)).size).toBe(2);
  for (const key of LARGE) await berth.operate({ operation: 'cancel', taskId: idOf(key) });

  let moved: string | undefined;
  await until('one of the two tasks is moved', 100_000, async () => {
    const tasks = await Promise.all(MOVABLE.map((key) => explain(berth, idOf(key))));
    moved = tasks.find(({ attempt, state }) => attempt === 2 && state === 'RUNNING')?.taskId;
    return moved !== undefined && new Set(tasks.map(({ hostId }) => hostId)).size === 1;
  });
  await until('the emptied host is gone', 60_000, async () => (await status()).hosts.length === 1);
  expect((await status()).hosts).toMatchObject([{ state: 'READY', tasks: 2 }]);

  for (const key of MOVABLE) {
    const task = await waitForState(berth, idOf(key), ['SUCCEEDED', 'FAILED', 'CANCELLED'], 150_000);
    expect(task).toMatchObject({ state: 'SUCCEEDED', attemptsUsed: 0, exitCode: 0 });
    expect(task.attempt).toBe(task.taskId === moved ? 2 : 1);
  }
  await until('the last host is given back', 110_000, async () => (await status()).hosts.length === 0);
}, 420_000);
