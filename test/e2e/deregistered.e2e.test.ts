import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Task } from '../../layers/domain/model/task.ts';
import { Berth } from './support/berth.ts';
import { cgroupFile, registerHello, waitForState } from './support/tasks.ts';
import { until } from './support/until.ts';

const berth = new Berth({
  bootMs: 500,
  parameters: { PoolInstanceTypes: '["t3.small"]', PoolMaxHosts: '2', PoolIdleHostSeconds: '600' },
});

interface Explained {
  readonly task: Task;
}
const explain = async (taskId: string): Promise<Task> =>
  (await berth.operate<Explained>({ operation: 'explain', taskId })).task;

/** What EC2 says of an instance. */
async function stateOf(hostId: string): Promise<string | undefined> {
  const { Reservations } = await berth.aws<{
    Reservations: { Instances: { State: { Name: string } }[] }[];
  }>('ec2', 'describe-instances', '--instance-ids', hostId);
  return Reservations[0]?.Instances[0]?.State.Name;
}

beforeAll(async () => {
  await berth.start();
  await registerHello(berth);
});
afterAll(() => berth.remove());

test('a task whose host is deregistered under it runs again only when EC2 has ended the host, uncounted', async () => {
  const request = {
    cluster: 'demo',
    taskDefinition: 'hello',
    retry: { maxAttempts: 1 },
    // It does not heed SIGTERM: whoever starts the next attempt too early has both run for seconds.
    containers: [
      {
        name: 'main',
        command: ['sh', '-c', "trap '' TERM; while :; do sleep 1; done"],
        cpu: 256,
        memory: 64,
      },
    ],
  };
  const { taskIds } = await berth.operate<{ taskIds: string[] }>({ operation: 'submit', request });
  const [taskId = ''] = taskIds;
  const first = await waitForState(berth, taskId, ['RUNNING']);
  const [hostId = '', ecsTaskArn = ''] = [first.hostId, first.ecsTaskArn];
  const cgroup = (): string => cgroupFile('cpu', hostId, ecsTaskArn, 'cgroup.procs');
  expect(cgroup).not.toThrow();
  const { containerInstanceArns } = await berth.aws<{ containerInstanceArns: string[] }>(
    'ecs',
    'list-container-instances',
    '--cluster',
    'demo',
  );
  expect(containerInstanceArns).toHaveLength(1);
  await berth.aws(
    ...['ecs', 'deregister-container-instance', '--cluster', 'demo', '--force'],
    ...['--container-instance', containerInstanceArns[0] ?? ''],
  );
  await until('the next attempt is under way', 90_000, async () => (await explain(taskId)).attempt === 2);
  expect(await stateOf(hostId)).toBe('terminated');
  expect(cgroup).toThrow('ENOENT');
  const second = await waitForState(berth, taskId, ['RUNNING']);
  expect(second.hostId).not.toBe(hostId);
  expect(await explain(taskId)).toMatchObject({ attempt: 2, attemptsUsed: 0 });
}, 240_000);
