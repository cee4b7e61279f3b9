import type { ECSClient } from '@aws-sdk/client-ecs';
import * as ecsSdk from '@aws-sdk/client-ecs';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEcsContainers } from '../../layers/aws/ecs/containers.ts';
import { NOT_ESSENTIAL } from '../../layers/domain/lifecycle/stopCause.ts';
import { parseIncoming } from '../../layers/events/incoming.ts';
import type { Containers, LaunchRequest, ObservedTask } from '../../layers/ports/containers.ts';
import { type TestEcs, testEcs } from '../../local/ecs/testEcs.ts';
import { testContext } from '../../local/engine/testContext.ts';
import { VirtualHosts } from '../../local/hosts/virtualHosts.ts';
import type { Run } from '../../local/hosts/virtualRun.ts';
import { inProcessClient } from '../../local/wire/inProcessClient.ts';

/** What the containers port promises, held by the ECS adapter over the embedded ECS. */

let ecs: TestEcs;
let containers: Containers;
let definition: string;
let run: (image: string) => Run;

beforeEach(async () => {
  run = () => ({});
  const context = testContext();
  const hosts = new VirtualHosts({ clock: context.clock, bootMs: 0, run: ({ image }) => run(image) });
  ecs = await testEcs({ over: context, hosts });
  containers = createEcsContainers({
    client: inProcessClient<ECSClient>({ service: ecs.ecs.service, sdk: ecsSdk }),
    clock: ecs.context.clock,
    sleep: async () => {},
  });
  definition = await ecs.define('hello', { cpu: 1024, memory: 512 });
});

const requestFor = (hostId: string, attempt = 1): LaunchRequest => ({
  cluster: 'c',
  taskDefinitionArn: definition,
  hostId,
  clientToken: `task1:${attempt}`,
  startedBy: `task1:${attempt}`,
  group: 'hello',
  containers: [{ name: 'main', environment: { BERTH_TASK_ID: 'task1' } }],
  tags: { team: 'checkout' },
});

async function launched(request: LaunchRequest): Promise<string> {
  const outcome = await containers.launch(request);
  if (outcome.outcome !== 'launched') throw new Error(`not launched: ${JSON.stringify(outcome)}`);
  return outcome.ecsTaskArn;
}

/** The task as its last event tells it. */
function told(ecsTaskArn: string): ObservedTask | undefined {
  const event = ecs.events.findLast(({ resources }) => resources[0] === ecsTaskArn);
  const parsed = parseIncoming({ id: 'e-1', time: '2026-01-01T00:00:00Z', ...event });
  return parsed.kind === 'ecs-task' ? parsed.task : undefined;
}

async function seen(ecsTaskArn: string): Promise<ObservedTask | undefined> {
  return (await containers.describeTasks('c', [ecsTaskArn]))[0];
}

describe('launching', () => {
  it('puts the task on the host that was asked for, whichever others there are', async () => {
    const hosts = [await ecs.host('i-0a'), await ecs.host('i-0b'), await ecs.host('i-0c')];
    const arn = await launched(requestFor('i-0b'));
    expect((await seen(arn))?.containerInstanceArn).toBe(hosts[1]);
  });

  it('answers the same token with the same task, and another attempt with another', async () => {
    await ecs.host('i-0a');
    const first = await launched(requestFor('i-0a', 1));
    expect(await launched(requestFor('i-0a', 1))).toBe(first);
    expect(await launched(requestFor('i-0a', 2))).not.toBe(first);
  });

  it('names the task of a token that was used with other words', async () => {
    await ecs.host('i-0a');
    const first = await launched(requestFor('i-0a'));
    const again = await containers.launch({ ...requestFor('i-0a'), group: 'renamed' });
    expect(again).toEqual({ outcome: 'launched', ecsTaskArn: first });
  });

  it('says what a full host lacks, although there are others', async () => {
    await ecs.host('i-0a');
    await ecs.host('i-0b');
    await launched(requestFor('i-0b', 1));
    await launched(requestFor('i-0b', 2));
    expect(await containers.launch(requestFor('i-0b', 3))).toMatchObject({
      outcome: 'refused',
      code: 'RESOURCE:CPU',
    });
  });

  it('is refused by a host whose agent is away, by one that is not there and by an empty cluster', async () => {
    expect(await containers.launch(requestFor('i-0a'))).toMatchObject({
      outcome: 'refused',
      code: 'MISSING',
    });
    await ecs.host('i-0a');
    expect(await containers.launch(requestFor('i-0b', 2))).toMatchObject({
      outcome: 'refused',
      code: 'CONSTRAINT',
    });
    ecs.ecs.agentConnected('i-0a', false);
    expect(await containers.launch(requestFor('i-0a', 3))).toMatchObject({
      outcome: 'refused',
      code: 'AGENT',
    });
  });

  it('is impossible once the definition is retired, and with a container that it does not have', async () => {
    await ecs.host('i-0a');
    const request = { ...requestFor('i-0a'), containers: [{ name: 'nobody' }] };
    expect(await containers.launch(request)).toMatchObject({ outcome: 'impossible' });
    await ecs.call('DeregisterTaskDefinition', { taskDefinition: definition });
    expect(await containers.launch(requestFor('i-0a'))).toMatchObject({ outcome: 'impossible' });
    expect(await containers.describeTaskDefinition(definition)).toBeUndefined();
  });
});

describe('observing', () => {
  const runs: readonly [string, Run][] = [
    ['runs', {}],
    ['ends well', { runMs: 1000, exitCode: 0 }],
    ['ends badly', { runMs: 1000, exitCode: 3 }],
    [
      'runs out of memory',
      { runMs: 1000, exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' },
    ],
    ['has no image', { failsToStart: 'CannotPullContainerError: no such image' }],
  ];

  it.each(runs)('tells the same of a task that %s by event and by description', async (_, behaviour) => {
    run = () => behaviour;
    await ecs.host('i-0a');
    const arn = await launched(requestFor('i-0a'));
    await ecs.context.clock.advance(5000);
    const task = await seen(arn);
    expect(task).toMatchObject({ cluster: 'c', ref: { taskId: 'task1', attempt: 1 } });
    expect(told(arn)).toEqual(task);
  });

  it.each([
    [{ runMs: 1000, exitCode: 0 }, 'EXIT_ZERO'],
    [{ runMs: 1000, exitCode: 3 }, 'EXIT_NONZERO'],
    [
      { runMs: 1000, exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' },
      'OUT_OF_MEMORY',
    ],
    [{ failsToStart: 'CannotPullContainerError: no such image' }, 'IMAGE_PULL'],
  ] satisfies [Run, string][])('knows why it stopped: %o is %s', async (behaviour, cause) => {
    run = () => behaviour;
    await ecs.host('i-0a');
    const arn = await launched(requestFor('i-0a'));
    await ecs.context.clock.advance(5000);
    expect(await seen(arn)).toMatchObject({ lastStatus: 'STOPPED', cause });
  });

  it('takes the exit code of the essential container for the task’s', async () => {
    definition = await ecs
      .call<{ taskDefinition: { taskDefinitionArn: string } }>('RegisterTaskDefinition', {
        family: 'pair',
        containerDefinitions: [
          { name: 'sidecar', image: 'sidecar', memory: 64, essential: false },
          { name: 'main', image: 'main', memory: 64 },
        ],
      })
      .then(({ taskDefinition }) => taskDefinition.taskDefinitionArn);
    run = (image) => (image === 'main' ? { runMs: 2000, exitCode: 0 } : { runMs: 1000, exitCode: 9 });
    await ecs.host('i-0a');
    const arn = await launched({
      ...requestFor('i-0a'),
      containers: [{ name: 'main' }, { name: 'sidecar', environment: { [NOT_ESSENTIAL]: '1' } }],
    });
    await ecs.context.clock.advance(5000);
    expect(await seen(arn)).toMatchObject({ cause: 'EXIT_ZERO', exitCode: 0 });
    expect(told(arn)).toEqual(await seen(arn));
  });

  it('calls the end of the host the end of the host', async () => {
    await ecs.host('i-0a');
    const arn = await launched(requestFor('i-0a'));
    await ecs.context.clock.advance(1000);
    ecs.ecs.instanceTerminated('i-0a');
    await ecs.context.clock.advance(1000);
    expect(told(arn)).toMatchObject({ lastStatus: 'STOPPED', cause: 'HOST_LOST' });
  });

  it('lists by attempt, stopped ones too', async () => {
    await ecs.host('i-0a');
    const first = await launched(requestFor('i-0a', 1));
    const second = await launched(requestFor('i-0a', 2));
    await containers.stop('c', first, 'because');
    await ecs.context.clock.advance(60_000);
    const arns = async (startedBy?: string) =>
      (await containers.listTasks('c', startedBy === undefined ? {} : { startedBy })).map(
        ({ ecsTaskArn }) => ecsTaskArn,
      );
    expect(await arns('task1:1')).toEqual([first]);
    expect((await arns()).sort()).toEqual([first, second].sort());
  });
});

describe('stopping', () => {
  it('asks, asks again without harm, and finds a task that never was gone', async () => {
    await ecs.host('i-0a');
    const arn = await launched(requestFor('i-0a'));
    expect(await containers.stop('c', arn, 'maintenance')).toEqual({ outcome: 'asked' });
    expect(await containers.stop('c', arn, 'maintenance')).toEqual({ outcome: 'asked' });
    await ecs.context.clock.advance(60_000);
    expect(await seen(arn)).toMatchObject({ lastStatus: 'STOPPED', cause: 'STOPPED_BY_USER' });
    const never = arn.replace(/[^/]+$/, '00000000000000000000000000000000');
    expect(await containers.stop('c', never, 'maintenance')).toEqual({ outcome: 'gone' });
  });
});

describe('hosts', () => {
  it('are seen as they registered, drained and deregistered, repeatedly', async () => {
    const arn = await ecs.host('i-0a', { rack: '7' });
    const [host] = await containers.listHosts('c');
    expect(host).toMatchObject({ cluster: 'c', hostId: 'i-0a', status: 'ACTIVE', agentConnected: true });
    expect(host?.capacity).toEqual({ cpu: 2048, memory: 4000 });
    expect(host?.attributes).toMatchObject({ rack: '7' });
    await containers.setDraining('c', arn, true);
    expect(await containers.listHosts('c')).toMatchObject([{ status: 'DRAINING' }]);
    await containers.setDraining('c', arn, false);
    expect(await containers.listHosts('c')).toMatchObject([{ status: 'ACTIVE' }]);
    await containers.deregister('c', arn);
    await containers.deregister('c', arn);
    expect(await containers.listHosts('c')).toEqual([]);
  });
});
