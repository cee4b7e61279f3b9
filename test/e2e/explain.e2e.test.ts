import { afterAll, beforeAll, expect, test } from 'vitest';
import { Berth } from './support/berth.ts';
import { registerHello } from './support/tasks.ts';
import { until } from './support/until.ts';

const berth = new Berth({
  bootMs: 500,
  parameters: { PoolInstanceTypes: '["t3.small"]', PoolMaxHosts: '1', PoolIdleHostSeconds: '600' },
});

interface Explanation {
  readonly task: { readonly state: string; readonly reason: { readonly code: string } };
  readonly summary: string;
  readonly waiting?: {
    readonly hostsConsidered: number;
    readonly refusals: Readonly<Record<string, number>>;
    readonly closest?: { readonly hostId: string; readonly lacks: Readonly<Record<string, number>> };
    readonly next: string;
  };
}

async function submit(request: object): Promise<string> {
  const answer = await berth.operate<{ taskIds?: string[] }>({
    operation: 'submit',
    request: { cluster: 'demo', taskDefinition: 'hello', ...request },
  });
  const [taskId] = answer.taskIds ?? [];
  if (taskId === undefined) throw new Error(JSON.stringify(answer));
  return taskId;
}
const explain = (taskId: string) => berth.operate<Explanation>({ operation: 'explain', taskId });
const sleeping = (cpu: number, memory: number) => ({
  containers: [{ name: 'main', command: ['sh', '-c', 'trap exit TERM; sleep 600 & wait'], cpu, memory }],
});

beforeAll(async () => {
  await berth.start();
  await registerHello(berth);
});
afterAll(() => berth.remove());

test('a task that waits on a full cluster is told the counts, the closest host and what happens next', async () => {
  const filler = await submit(sleeping(1_500, 256));
  await until('the filler runs', 60_000, async () => (await explain(filler)).task.state === 'RUNNING');
  const waiting = await submit(sleeping(1_024, 256));
  await until(
    'it is on record as waiting',
    20_000,
    async () => (await explain(waiting)).task.reason.code === 'WAITING',
  );
  const { summary, waiting: why } = await explain(waiting);
  expect(why).toMatchObject({ hostsConsidered: 1, refusals: { cpu: 1 } });
  expect(why?.closest?.lacks).toEqual({ cpu: 1_024 - (2_048 - 1_500) });
  expect(why?.next).not.toBe('');
  expect(summary).toContain('1 cpu');

  await berth.operate({ operation: 'cancel', taskId: filler });
  await until(
    'it runs once the filler is gone',
    60_000,
    async () => (await explain(waiting)).task.state === 'RUNNING',
  );
});

test('a task that no pool can ever hold is told so, with the pool and the limit', async () => {
  const taskId = await submit(sleeping(128, 512_000));
  await until('it is told what holds it back', 20_000, async () => {
    const { task, summary } = await explain(taskId);
    return task.state === 'PENDING' && summary.includes('default');
  });
  expect((await explain(taskId)).waiting?.refusals).toMatchObject({ memory: 1 });
});

test('a question with a mistake is answered with the field, the rule and the fix', async () => {
  expect(await berth.operate({ operation: 'explain', taskId: 'a'.repeat(26) })).toMatchObject({
    outcome: 'refused',
    problems: [{ field: 'taskId' }],
  });
  expect(await berth.operate({ operation: 'dance' })).toMatchObject({
    outcome: 'refused',
    problems: [{ field: 'operation' }],
  });
});
