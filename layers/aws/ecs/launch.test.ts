import { ConflictException, type ECSClient } from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { type Answer, networkError, scriptedClient, sdkError } from '../../../test/support/scriptedClient.ts';
import type { LaunchRequest } from '../../ports/containers.ts';
import { createEcsContainers } from './containers.ts';

const arn = 'arn:aws:ecs:us-east-1:123456789012:task/demo/0a1b2c3d';

const request: LaunchRequest = {
  cluster: 'demo',
  taskDefinitionArn: 'arn:aws:ecs:us-east-1:123456789012:task-definition/hello:3',
  hostId: 'i-0abc',
  clientToken: 'k5q3:1',
  startedBy: 'k5q3:1',
  group: 'hello',
  containers: [{ name: 'app', command: ['echo', 'hi'], environment: { A: '1' }, cpu: 256, memory: 128 }],
  tags: { team: 'checkout' },
};

function ecsWith(...answers: Answer[]) {
  let now = 0;
  const script = scriptedClient<ECSClient>({ RunTask: answers, StopTask: answers });
  const containers = createEcsContainers({ client: script.client, clock: { now: () => now } });
  return {
    ...script,
    containers,
    advance: (ms: number): void => {
      now += ms;
    },
  };
}

describe('launching', () => {
  it('pins the task to its host and its attempt', async () => {
    const { containers, inputs } = ecsWith({ tasks: [{ taskArn: arn }], failures: [] });
    expect(await containers.launch(request)).toEqual({ outcome: 'launched', ecsTaskArn: arn });
    expect(inputs('RunTask')).toEqual([
      {
        cluster: 'demo',
        taskDefinition: request.taskDefinitionArn,
        count: 1,
        launchType: 'EC2',
        clientToken: 'k5q3:1',
        startedBy: 'k5q3:1',
        group: 'hello',
        overrides: {
          containerOverrides: [
            {
              name: 'app',
              command: ['echo', 'hi'],
              environment: [{ name: 'A', value: '1' }],
              cpu: 256,
              memory: 128,
              memoryReservation: 128,
            },
          ],
        },
        placementConstraints: [{ type: 'memberOf', expression: 'ec2InstanceId == i-0abc' }],
        tags: [{ key: 'team', value: 'checkout' }],
      },
    ]);
  });

  const outcomes: readonly [string, Answer, object][] = [
    [
      'no room',
      { tasks: [], failures: [{ reason: 'RESOURCE:CPU', arn: 'x' }] },
      { outcome: 'refused', code: 'RESOURCE:CPU' },
    ],
    ['an agent that is away', { failures: [{ reason: 'AGENT' }] }, { outcome: 'refused', code: 'AGENT' }],
    [
      'the pin not met',
      { failures: [{ reason: 'MemberOf placement constraint unsatisfied.' }] },
      { outcome: 'refused', code: 'CONSTRAINT' },
    ],
    [
      'what the pinned host lacks among what the others are',
      {
        failures: [
          { reason: 'MemberOf placement constraint unsatisfied.', arn: 'other' },
          { reason: 'RESOURCE:MEMORY', arn: 'pinned' },
        ],
      },
      { outcome: 'refused', code: 'RESOURCE:MEMORY' },
    ],
    ['an empty answer', { tasks: [], failures: [] }, { outcome: 'unknown' }],
    ['a throttle', sdkError('ThrottlingException', 'Rate exceeded'), { outcome: 'throttled' }],
    ['a fault', sdkError('ServerException', 'oops', { fault: 'server' }), { outcome: 'unknown' }],
    ['no answer', networkError('ECONNRESET'), { outcome: 'unknown' }],
    [
      'an empty cluster',
      sdkError('InvalidParameterException', 'No Container Instances were found in your cluster.'),
      { outcome: 'refused', code: 'MISSING' },
    ],
    [
      'an inactive definition',
      sdkError('ClientException', 'TaskDefinition is inactive'),
      { outcome: 'impossible', code: 'ClientException' },
    ],
    [
      'other words for the same token',
      new ConflictException({ message: 'in use', $metadata: {}, resourceIds: [arn] }),
      { outcome: 'launched', ecsTaskArn: arn },
    ],
    [
      'a token that is used up without a task',
      new ConflictException({ message: 'in use', $metadata: {} }),
      { outcome: 'refused', code: 'CONFLICT' },
    ],
  ];

  it.each(outcomes)('tells %s', async (_, answer, outcome) => {
    expect(await ecsWith(answer).containers.launch(request)).toMatchObject(outcome);
  });

  it.each(['AccessDeniedException', 'ClusterNotFoundException'])(
    'throws %s: no task is to blame',
    async (name) => {
      const error = sdkError(name, 'mend the set-up');
      await expect(ecsWith(error).containers.launch(request)).rejects.toBe(error);
    },
  );

  it('spends no more than 40 calls at once, launches and stops together', async () => {
    const { containers, inputs, advance } = ecsWith({ tasks: [{ taskArn: arn }] });
    for (let call = 0; call < 30; call += 1) await containers.launch(request);
    for (let call = 0; call < 10; call += 1) await containers.stop('demo', arn, 'because');
    expect(await containers.launch(request)).toMatchObject({ outcome: 'throttled' });
    expect(await containers.stop('demo', arn, 'because')).toEqual({ outcome: 'throttled' });
    expect(inputs('RunTask')).toHaveLength(30);
    advance(25);
    expect(await containers.launch(request)).toMatchObject({ outcome: 'launched' });
  });

  it('asks no more for a while after ECS has throttled once', async () => {
    const { containers, inputs, advance } = ecsWith(sdkError('ThrottlingException', 'Rate exceeded'), {
      tasks: [{ taskArn: arn }],
    });
    await containers.launch(request);
    expect(await containers.launch(request)).toMatchObject({ outcome: 'throttled' });
    expect(inputs('RunTask')).toHaveLength(1);
    advance(1000);
    expect(await containers.launch(request)).toMatchObject({ outcome: 'launched' });
  });
});

describe('stopping', () => {
  it('cuts the reason to what ECS takes', async () => {
    const { containers, inputs } = ecsWith({});
    expect(await containers.stop('demo', arn, 'x'.repeat(1000))).toEqual({ outcome: 'asked' });
    expect(String(inputs('StopTask')[0]?.reason)).toHaveLength(255);
  });

  it('takes a task that is gone for stopped', async () => {
    const gone = sdkError('InvalidParameterException', 'The referenced task was not found.');
    expect(await ecsWith(gone).containers.stop('demo', arn, 'because')).toEqual({ outcome: 'gone' });
  });

  it('throws what it does not know', async () => {
    const error = networkError('ECONNRESET');
    await expect(ecsWith(error).containers.stop('demo', arn, 'because')).rejects.toBe(error);
  });
});
