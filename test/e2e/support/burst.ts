import { existsSync } from 'node:fs';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { expect } from 'vitest';
import { taskIdOf } from '../../../layers/control/taskId.ts';
import type { Berth } from './berth.ts';
import { until } from './until.ts';

const SOURCE = 'e2e.burst';

export interface EcsTask {
  readonly taskArn: string;
  readonly lastStatus: string;
  readonly startedBy?: string;
}

/** mulberry32, so that an order can be had again from its seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** Puts `count` requests on the bus, every one twice and in random order, and returns the ids of their tasks. */
export async function putBurst(
  berth: Berth,
  name: string,
  count: number,
  seed: number,
  detail: object,
): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, index) => `${name}-${index}`);
  const twice = [...keys, ...keys];
  const next = random(seed);
  for (let index = twice.length - 1; index > 0; index -= 1) {
    const other = Math.floor(next() * (index + 1));
    [twice[index], twice[other]] = [twice[other] as string, twice[index] as string];
  }
  const client = new EventBridgeClient({
    endpoint: berth.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'berth', secretAccessKey: 'berth' },
  });
  for (let start = 0; start < twice.length; start += 10) {
    const Entries = twice.slice(start, start + 10).map((idempotencyKey) => ({
      Source: SOURCE,
      DetailType: 'Task Requested',
      EventBusName: 'berth',
      Detail: JSON.stringify({ cluster: 'demo', taskDefinition: 'hello', idempotencyKey, ...detail }),
    }));
    const { FailedEntryCount } = await client.send(new PutEventsCommand({ Entries }));
    if (FailedEntryCount) throw new Error(`${FailedEntryCount} events were not taken`);
  }
  client.destroy();
  return keys.map((key) => taskIdOf(SOURCE, key, 0));
}

/** Every task that ECS still knows, running and stopped. */
export async function ecsTasks(berth: Berth): Promise<EcsTask[]> {
  const arns: string[] = [];
  for (const status of ['RUNNING', 'STOPPED']) {
    const { taskArns } = await berth.aws<{ taskArns: string[] }>(
      'ecs',
      'list-tasks',
      '--cluster',
      'demo',
      '--desired-status',
      status,
    );
    arns.push(...taskArns);
  }
  const tasks: EcsTask[] = [];
  for (let start = 0; start < arns.length; start += 100) {
    const answer = await berth.aws<{ tasks: EcsTask[] }>(
      'ecs',
      'describe-tasks',
      '--cluster',
      'demo',
      '--tasks',
      ...arns.slice(start, start + 100),
    );
    tasks.push(...answer.tasks);
  }
  return tasks;
}

/** Instance ids of all hosts this AWS ever had, in the order EC2 tells them. */
async function instanceIds(berth: Berth): Promise<string[]> {
  const { Reservations } = await berth.aws<{ Reservations: { Instances: { InstanceId: string }[] }[] }>(
    'ec2',
    'describe-instances',
  );
  return Reservations.flatMap(({ Instances }) => Instances.map(({ InstanceId }) => InstanceId));
}

/** Those of the hosts that still have a cgroup on this machine, v1 or v2. */
const hostsWithCgroup = (hostIds: readonly string[]): string[] =>
  hostIds.filter((id) =>
    ['/sys/fs/cgroup/cpu/berth', '/sys/fs/cgroup/berth'].some((parent) => existsSync(`${parent}/${id}`)),
  );

/** Every host that there was is given back, and nothing of any is left on this machine. */
export async function leavesNoHost(berth: Berth): Promise<void> {
  await until(
    'the cluster is back to no host',
    120_000,
    async () => {
      const { hosts } = await berth.operate<{ hosts: unknown[] }>({ operation: 'status', cluster: 'demo' });
      return hosts.length === 0;
    },
    500,
  );
  const hostIds = await instanceIds(berth);
  expect(hostIds.length).toBeGreaterThan(0);
  expect(hostsWithCgroup(hostIds), 'no cgroup is left').toEqual([]);
}
