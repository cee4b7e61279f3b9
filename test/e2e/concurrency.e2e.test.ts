import { afterAll, beforeAll, expect, test } from 'vitest';
import { Berth } from './support/berth.ts';
import { registerHello, waitForState } from './support/tasks.ts';
import { until } from './support/until.ts';

const berth = new Berth({ bootMs: 500, parameters: { PoolIdleHostSeconds: '600' } });

interface Listed {
  readonly tasks: readonly { readonly taskId: string; readonly state: string }[];
}

beforeAll(async () => {
  await berth.start();
  await registerHello(berth);
});
afterAll(() => berth.remove());

test('tasks of one concurrency key take turns, say for whom they wait, and hold up nobody', async () => {
  const submit = async (request: object): Promise<string[]> => {
    const { taskIds } = await berth.operate<{ taskIds: string[] }>({
      operation: 'submit',
      request: { cluster: 'demo', taskDefinition: 'hello', ...request },
    });
    return taskIds;
  };
  const command = ['sh', '-c', 'sleep 10'];
  const capped = await submit({
    count: 3,
    concurrency: { key: 'orders-db', max: 1 },
    containers: [{ name: 'main', command }],
  });
  const [free = ''] = await submit({});
  const listed = async (states: readonly string[]): Promise<string[]> => {
    const { tasks } = await berth.operate<Listed>({ operation: 'list', cluster: 'demo' });
    return tasks
      .filter(({ taskId, state }) => capped.includes(taskId) && states.includes(state))
      .map(({ taskId }) => taskId);
  };
  const inPlace = () => listed(['PLACED', 'RUNNING']);
  await until('one that waits names the one that has its place', 60_000, async () => {
    const [[holder], [waiting]] = [await inPlace(), await listed(['PENDING'])];
    if (holder === undefined || waiting === undefined) return false;
    const { summary } = await berth.operate<{ summary: string }>({ operation: 'explain', taskId: waiting });
    // The turn may have passed on while it was asked.
    if ((await inPlace())[0] !== holder) return false;
    expect(summary).toBe(`It waits: key "orders-db" has 1 of 1 running: ${holder}.`);
    return true;
  });
  await waitForState(berth, free, ['SUCCEEDED']);

  const crowds: number[] = [];
  await until('all have had their turn', 90_000, async () => {
    crowds.push((await inPlace()).length);
    const { tasks } = await berth.operate<Listed>({ operation: 'list', cluster: 'demo' });
    return tasks.length === 0;
  });
  expect(Math.max(...crowds)).toBe(1);
  for (const taskId of capped) expect((await waitForState(berth, taskId, ['SUCCEEDED'])).attempt).toBe(1);
});
