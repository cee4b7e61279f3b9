import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Host } from '../../layers/domain/model/host.ts';
import { createDynamoStore } from '../../layers/store/dynamoStore.ts';
import { Berth } from './support/berth.ts';
import { registerHello, waitForState } from './support/tasks.ts';
import { until } from './support/until.ts';

const berth = new Berth({
  bootMs: 500,
  parameters: { PoolInstanceTypes: '["t3.small"]', PoolMaxHosts: '1', PoolIdleHostSeconds: '600' },
});

/** The only host as the functions see it, read anew each time. */
async function theHost(): Promise<Host | undefined> {
  const client = new DynamoDBClient({
    endpoint: berth.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'berth', secretAccessKey: 'berth' },
  });
  const [host] = await createDynamoStore({ client, table: 'berth' }).listHosts('demo');
  return host;
}

async function submit(cpu: number, command: string): Promise<string> {
  const request = {
    cluster: 'demo',
    taskDefinition: 'hello',
    containers: [{ name: 'main', command: ['sh', '-c', command], cpu, memory: 64 }],
  };
  const { taskIds } = await berth.operate<{ taskIds: string[] }>({ operation: 'submit', request });
  return taskIds[0] ?? '';
}

beforeAll(async () => {
  await berth.start();
  await registerHello(berth);
});
afterAll(() => berth.remove());

test('what the agent measures reaches the host that placement sees', async () => {
  await waitForState(berth, await submit(512, 'while :; do :; done'), ['RUNNING']);
  await until(
    'the agent has told of its use',
    60_000,
    async () => (await theHost())?.usage !== undefined,
    500,
  );
  const host = await theHost();
  expect(host?.usage?.cpuP95).toBeGreaterThan(0);
  expect(Date.now() - (host?.agentSeenAt ?? 0)).toBeLessThan(60_000);
  expect(host?.pressure).toEqual({
    cpu: expect.any(Number),
    memory: expect.any(Number),
    io: expect.any(Number),
  });
});

test('an operator lets a pool overcommit, and ECS sets aside only a part of what the next task asks', async () => {
  const changed = await berth.operate({
    operation: 'pool',
    cluster: 'demo',
    pool: 'default',
    change: { cpuOvercommit: 1.5 },
  });
  expect(changed).toMatchObject({ outcome: 'changed', pool: { cpuOvercommit: 1.5, maxHosts: 1 } });
  const before = (await theHost())?.left.cpu ?? 0;
  const { ecsTaskArn = '' } = await waitForState(berth, await submit(600, 'sleep 60'), ['RUNNING']);
  expect((await theHost())?.left.cpu).toBe(before - 400);
  const { tasks } = await berth.aws<{
    tasks: { overrides: { containerOverrides: { cpu: number }[] } }[];
  }>('ecs', 'describe-tasks', '--cluster', 'demo', '--tasks', ecsTaskArn);
  expect(tasks[0]?.overrides.containerOverrides[0]?.cpu).toBe(400);
});
