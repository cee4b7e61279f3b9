import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { taskIdOf } from '../../layers/control/taskId.ts';
import { Berth, root } from './support/berth.ts';
import { cgroupFile, entriesOf, registerHello, waitForState } from './support/tasks.ts';
import { until } from './support/until.ts';

const run = promisify(execFile);
const berth = new Berth({ bootMs: 1_000, parameters: { PoolIdleHostSeconds: '3' } });
const venv = join(root, '.cache/venv/bin');

/** Every client that a user may hold, sending the same kind of event. */
const clients = {
  'AWS CLI v2': (entries: string) =>
    berth.awsWith('/usr/bin/aws', 'events', 'put-events', '--entries', entries),
  'AWS CLI v1': (entries: string) =>
    berth.awsWith(join(venv, 'aws'), 'events', 'put-events', '--entries', entries),
  boto3: async (entries: string) => {
    const script = [
      'import boto3, json, sys',
      "client = boto3.client('events', endpoint_url=sys.argv[1], region_name='us-east-1', aws_access_key_id='berth', aws_secret_access_key='berth')",
      'answer = client.put_events(Entries=json.loads(sys.argv[2]))',
      "assert answer['FailedEntryCount'] == 0, answer",
    ].join('\n');
    await run(join(venv, 'python'), ['-c', script, berth.endpoint, entries]);
  },
};

const request = (idempotencyKey: string) => ({
  cluster: 'demo',
  taskDefinition: 'hello',
  idempotencyKey,
  containers: [
    { name: 'main', command: ['sh', '-c', 'trap exit TERM; sleep 60 & wait'], cpu: 128, memory: 64 },
  ],
  isolation: { qos: 'burstable', cpu: { limitUnits: 512 }, memory: { maxMiB: 48 }, pids: { max: 37 } },
});

beforeAll(async () => {
  expect(existsSync(join(venv, 'python')), 'scripts/setup --test makes .cache/venv').toBe(true);
  await berth.start();
  await registerHello(berth);
});
afterAll(() => berth.remove());

test.each(Object.entries(clients))(
  'an event from %s becomes a container with its limits',
  async (name, put) => {
    const key = `launch ${name}`;
    await put(entriesOf([request(key)]));
    const taskId = taskIdOf('e2e.shop', key, 0);
    const task = await waitForState(berth, taskId, ['RUNNING']);
    const hostId = task.hostId ?? '';
    const arn = task.ecsTaskArn ?? '';

    await until('the limits are those that were asked for', 5_000, () => {
      const limits = [
        cgroupFile('pids', hostId, arn, 'pids.max'),
        cgroupFile('memory', hostId, arn, 'memory.limit_in_bytes'),
        cgroupFile('cpu', hostId, arn, 'cpu.cfs_quota_us'),
      ];
      return limits.join() === ['37', String(48 * 1024 * 1024), '50000'].join();
    });

    const cancelled = await berth.operate({ operation: 'cancel', taskId });
    expect(cancelled).toMatchObject({ outcome: 'stopping' });
    expect(await waitForState(berth, taskId, ['CANCELLED'])).toMatchObject({ attempt: 1 });
  },
);

test('a bad request goes out as Task Rejected with the field, the rule and the fix, and nothing else happens', async () => {
  const { QueueUrl } = await berth.aws<{ QueueUrl: string }>(
    'sqs',
    'create-queue',
    '--queue-name',
    'rejections',
  );
  const rule = ['--name', 'rejections', '--event-bus-name', 'berth'];
  await berth.aws('events', 'put-rule', ...rule, '--event-pattern', '{"detail-type":["Task Rejected"]}');
  await berth.aws(
    'events',
    'put-targets',
    '--rule',
    'rejections',
    '--event-bus-name',
    'berth',
    '--targets',
    'Id=q,Arn=arn:aws:sqs:us-east-1:000000000000:rejections',
  );
  await berth.aws(
    'events',
    'put-events',
    '--entries',
    entriesOf([{ ...request('bad'), cont: 2, priority: 'high' }]),
  );
  let body: { detail: { problems: { field: string; rule: string; fix: string }[] } } | undefined;
  await until('the rejection arrives', 10_000, async () => {
    const answer = await berth.aws<{ Messages?: { Body: string }[] } | undefined>(
      'sqs',
      'receive-message',
      '--queue-url',
      QueueUrl,
      '--wait-time-seconds',
      '2',
    );
    const text = answer?.Messages?.[0]?.Body;
    if (text !== undefined) body = JSON.parse(text);
    return body !== undefined;
  });
  expect(body?.detail.problems.map(({ field }) => field).sort()).toEqual(['cont', 'priority']);
  const launch = await berth.aws<{ Attributes: Record<string, string> }>(
    'sqs',
    'get-queue-attributes',
    '--attribute-names',
    'All',
    '--queue-url',
    `${berth.endpoint}/000000000000/berth-LaunchDeadLetters`,
  );
  expect(launch.Attributes.ApproximateNumberOfMessages).toBe('0');
});

test('the idle host is given back, and nothing of it stays', async () => {
  // A host is kept for the minute that EC2 bills in any case.
  await until('the cluster has no host', 110_000, async () => {
    const status = await berth.operate<{ hosts: unknown[] }>({ operation: 'status', cluster: 'demo' });
    return status.hosts.length === 0;
  });
  const { Reservations } = await berth.aws<{
    Reservations: { Instances: { InstanceId: string; State: { Name: string } }[] }[];
  }>('ec2', 'describe-instances');
  for (const { InstanceId, State } of Reservations.flatMap(({ Instances }) => Instances)) {
    expect(State.Name).toBe('terminated');
    expect(existsSync(`/sys/fs/cgroup/cpu/berth/${InstanceId}`)).toBe(false);
  }
});
