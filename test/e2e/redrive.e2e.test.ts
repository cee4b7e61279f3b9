import { afterAll, beforeAll, expect, test } from 'vitest';
import { taskIdOf } from '../../layers/control/taskId.ts';
import { Berth } from './support/berth.ts';
import { entriesOf, registerHello, waitForState } from './support/tasks.ts';
import { until } from './support/until.ts';

const berth = new Berth({ provokes: 'a-table-that-is-gone', bootMs: 500 });

interface Counted {
  readonly queues: readonly { readonly queue: string; readonly messages: number }[];
}
interface Letters {
  readonly letters: readonly {
    readonly messageId: string;
    readonly taskId?: string;
    readonly about: string;
  }[];
}
type Variables = Readonly<Record<string, string>>;

const deadLetters = <T>(more: object = {}) => berth.operate<T>({ operation: 'dead-letters', ...more });
const messagesOf = async (name: string): Promise<number> =>
  (await deadLetters<Counted>()).queues.find(({ queue }) => queue === name)?.messages ?? -1;

const acceptWith = (variables: Variables) =>
  berth.aws(
    'lambda',
    'update-function-configuration',
    '--function-name',
    'berth-accept',
    '--environment',
    JSON.stringify({ Variables: variables }),
  );

async function impatient(): Promise<void> {
  const { QueueUrls } = await berth.aws<{ QueueUrls: string[] }>('sqs', 'list-queues');
  const url = QueueUrls.find((candidate) => candidate.endsWith('LaunchQueue')) ?? '';
  const { Attributes } = await berth.aws<{ Attributes: { RedrivePolicy: string } }>(
    'sqs',
    'get-queue-attributes',
    '--queue-url',
    url,
    '--attribute-names',
    'RedrivePolicy',
  );
  const policy = JSON.parse(Attributes.RedrivePolicy) as { deadLetterTargetArn: string };
  await berth.aws(
    'sqs',
    'set-queue-attributes',
    '--queue-url',
    url,
    '--attributes',
    JSON.stringify({
      VisibilityTimeout: '1',
      RedrivePolicy: JSON.stringify({ ...policy, maxReceiveCount: 1 }),
    }),
  );
}

beforeAll(async () => {
  await berth.start();
  await registerHello(berth);
});
afterAll(() => berth.remove());

test('a message that was given up is counted, explained and redriven, and its task runs once', async () => {
  expect(await messagesOf('launch')).toBe(0);
  await impatient();
  const { Environment } = await berth.aws<{ Environment: { Variables: Variables } }>(
    'lambda',
    'get-function-configuration',
    '--function-name',
    'berth-accept',
  );
  await acceptWith({ ...Environment.Variables, BERTH_TABLE: 'a-table-that-is-gone' });
  const request = { cluster: 'demo', taskDefinition: 'hello', idempotencyKey: 'poison-1' };
  await berth.aws('events', 'put-events', '--entries', entriesOf([request]));
  await until('it is given up', 60_000, async () => (await messagesOf('launch')) === 1);

  const taskId = taskIdOf('e2e.shop', 'poison-1', 0);
  const { letters } = await deadLetters<Letters>({ queue: 'launch' });
  expect(letters).toMatchObject([{ taskId, about: 'Task Requested for hello from e2e.shop' }]);
  const messageId = letters[0]?.messageId ?? '';
  expect(await deadLetters({ queue: 'launch', messageId })).toMatchObject({
    taskId,
    why: expect.stringContaining('the log of berth-accept names the error'),
    next: expect.stringContaining('its task is not on record'),
    body: expect.stringContaining('poison-1'),
  });

  await acceptWith(Environment.Variables);
  expect(await berth.operate({ operation: 'redrive', queue: 'launch', messageId: 'none' })).toMatchObject({
    outcome: 'refused',
    problems: [{ field: 'messageId', fix: expect.stringContaining('list the queue') }],
  });
  expect(await berth.operate({ operation: 'redrive', queue: 'launch', messageId })).toMatchObject({
    outcome: 'redriven',
  });
  const task = await waitForState(berth, taskId, ['SUCCEEDED']);
  expect(task.attempt).toBe(1);
  expect(await messagesOf('launch')).toBe(0);

  // The same request given up once more joins the task that has run.
  await acceptWith({ ...Environment.Variables, BERTH_TABLE: 'a-table-that-is-gone' });
  await berth.aws('events', 'put-events', '--entries', entriesOf([request]));
  await until('it is given up again', 60_000, async () => (await messagesOf('launch')) === 1);
  await acceptWith(Environment.Variables);
  expect(await berth.operate({ operation: 'redrive', queue: 'launch' })).toMatchObject({
    outcome: 'started',
    messages: 1,
  });
  await until('the queue is empty', 60_000, async () => (await messagesOf('launch')) === 0);
  const { startedAt, attempt } = await waitForState(berth, taskId, ['SUCCEEDED']);
  expect({ startedAt, attempt }).toEqual({ startedAt: task.startedAt, attempt: 1 });
});
