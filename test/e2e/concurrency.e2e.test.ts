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
  // Until it is cancelled: how long a turn lasts is the test's to say, however slow the machine.
  const command = ['sh', '-c', "trap 'exit 143' TERM; sleep 3600 & wait"];
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
  await waitForState(berth, free, ['SUCCEEDED']);
  const turns: string[] = [];
  for (const _turn of capped) {
    let holders: string[] = [];
    await until('one of them has its place', 60_000, async () => {
      holders = (await inPlace()).filter((taskId) => !turns.includes(taskId));
      return holders.length > 0;
    });
    expect(holders).toHaveLength(1);
    const [holder = ''] = holders;
    turns.push(holder);
    await waitForState(berth, holder, ['RUNNING']);
    const [waiting] = await listed(['PENDING']);
    if (waiting !== undefined) {
      const { summary } = await berth.operate<{ summary: string }>({
        operation: 'explain',
        taskId: waiting,
      });
      expect(summary).toBe(`It waits: key "orders-db" has 1 of 1 running: ${holder}.`);
    }
    await berth.operate({ operation: 'cancel', taskId: holder });
    expect((await waitForState(berth, holder, ['CANCELLED'])).attempt).toBe(1);
  }
  expect([...turns].sort()).toEqual([...capped].sort());
}, 300_000);
