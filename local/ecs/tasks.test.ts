import { describe, expect, it } from 'vitest';
import { memoryState } from '../engine/state.ts';
import { restarted } from '../engine/testClock.ts';
import { testEcs } from './testEcs.ts';

const firstArn = (output: { tasks?: { taskArn?: string | undefined }[] | undefined }): string =>
  output.tasks?.[0]?.taskArn ?? '';

describe('the life of a task', () => {
  it('goes from PENDING over RUNNING to STOPPED, each step a version, a time and an event', async () => {
    const t = await testEcs({ run: { startMs: 1000, runMs: 5000, exitCode: 3 } });
    const instanceArn = await t.host('i-0aaa', { 'ecs.availability-zone': 'us-east-1a' });
    const definition = await t.define('web');
    const startMs = t.context.clock.now();
    const output = await t.run(definition, { startedBy: 'task:1', tags: [{ key: 'k', value: 'v' }] });
    const arn = firstArn(output);
    expect(output.failures).toEqual([]);
    expect(output.tasks?.[0]).toMatchObject({
      lastStatus: 'PENDING',
      desiredStatus: 'RUNNING',
      launchType: 'EC2',
      group: 'family:web',
      startedBy: 'task:1',
      cpu: '100',
      memory: '100',
      version: 1,
      availabilityZone: 'us-east-1a',
      containerInstanceArn: instanceArn,
      tags: [{ key: 'k', value: 'v' }],
    });
    await t.context.clock.advance(1000);
    expect(await t.task(arn)).toMatchObject({
      lastStatus: 'RUNNING',
      version: 2,
      startedAt: new Date(startMs + 1000),
      containers: [{ name: 'main', lastStatus: 'RUNNING', runtimeId: expect.stringContaining('main') }],
    });
    await t.context.clock.advance(5000);
    const stopped = await t.task(arn);
    expect(stopped).toMatchObject({
      lastStatus: 'STOPPED',
      desiredStatus: 'STOPPED',
      version: 3,
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      stoppedAt: new Date(startMs + 6000),
      containers: [{ lastStatus: 'STOPPED', exitCode: 3 }],
    });
    expect(t.eventsOf(arn).map((detail) => [detail.lastStatus, detail.version])).toEqual([
      ['PENDING', 1],
      ['RUNNING', 2],
      ['STOPPED', 3],
    ]);
  });

  it('shows events as the service does: ISO times, ARNs, no tags', async () => {
    const t = await testEcs({ run: { runMs: 1000 } });
    const instanceArn = await t.host('i-0aaa');
    const arn = firstArn(await t.run(await t.define('web'), { tags: [{ key: 'k', value: 'v' }] }));
    await t.context.clock.advance(2000);
    const event = t.events.findLast((each) => each.resources[0] === arn);
    expect(event).toMatchObject({ source: 'aws.ecs', 'detail-type': 'ECS Task State Change' });
    expect(event?.detail).toMatchObject({
      clusterArn: 'arn:aws:ecs:us-east-1:000000000000:cluster/c',
      taskArn: arn,
      containerInstanceArn: instanceArn,
      taskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1',
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      updatedAt: expect.stringMatching(/Z$/),
      overrides: { containerOverrides: [] },
      containers: [{ taskArn: arn, exitCode: 0, networkInterfaces: [], cpu: '100', memory: '100' }],
      attributes: [{ name: 'ecs.cpu-architecture', value: 'x86_64' }],
    });
    expect(event?.detail).not.toHaveProperty('tags');
    const host = t.events.findLast((each) => each.resources[0] === instanceArn);
    expect(host).toMatchObject({
      'detail-type': 'ECS Container Instance State Change',
      detail: { ec2InstanceId: 'i-0aaa', agentConnected: true, status: 'ACTIVE', version: 3 },
    });
  });

  it('stops on StopTask, with the caller’s reason', async () => {
    const t = await testEcs({ run: { stopMs: 2000 } });
    await t.host('i-0aaa');
    const arn = firstArn(await t.run(await t.define('web')));
    await t.context.clock.advance(0);
    const stopping = await t.call<{ task: object }>('StopTask', {
      cluster: 'c',
      task: arn,
      reason: 'enough',
    });
    expect(stopping.task).toMatchObject({
      lastStatus: 'RUNNING',
      desiredStatus: 'STOPPED',
      stopCode: 'UserInitiated',
    });
    await t.context.clock.advance(2000);
    expect(await t.task(arn)).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'UserInitiated',
      stoppedReason: 'enough',
      containers: [{ exitCode: 143 }],
    });
    await expect(t.call('StopTask', { cluster: 'c', task: 'f'.repeat(32) })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'The referenced task was not found.',
    });
  });

  it('tells a container that never started from one that exited', async () => {
    const t = await testEcs({ run: { failsToStart: 'CannotPullContainerError: no such image' } });
    await t.host('i-0aaa');
    const arn = firstArn(await t.run(await t.define('web')));
    await t.context.clock.advance(0);
    const task = await t.task(arn);
    expect(task).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'TaskFailedToStart',
      stoppedReason: 'Task failed to start',
      containers: [{ reason: 'CannotPullContainerError: no such image' }],
    });
    expect(task.startedAt).toBeUndefined();
    expect(task.containers?.[0]?.exitCode).toBeUndefined();
  });

  it('ends all containers when an essential one exits, and none when another does', async () => {
    const t = await testEcs();
    await t.host('i-0aaa');
    const { taskDefinition } = await t.call<{ taskDefinition: { taskDefinitionArn: string } }>(
      'RegisterTaskDefinition',
      {
        family: 'pod',
        containerDefinitions: [
          { name: 'app', image: 'a', memory: 10, dependsOn: [{ containerName: 'side', condition: 'START' }] },
          { name: 'side', image: 'b', memory: 10, essential: false },
        ],
      },
    );
    const arn = firstArn(await t.run(taskDefinition.taskDefinitionArn));
    await t.context.clock.advance(0);
    t.hosts.exit('i-0aaa', arn, 'side', 1);
    expect(await t.task(arn)).toMatchObject({ lastStatus: 'RUNNING', desiredStatus: 'RUNNING' });
    const second = firstArn(await t.run(taskDefinition.taskDefinitionArn));
    await t.context.clock.advance(0);
    t.hosts.exit('i-0aaa', second, 'app', 0);
    expect(await t.task(second)).toMatchObject({ lastStatus: 'RUNNING', desiredStatus: 'STOPPED' });
    await t.context.clock.advance(0);
    expect(await t.task(second)).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'EssentialContainerExited',
      containers: [
        { name: 'app', exitCode: 0 },
        { name: 'side', exitCode: 143 },
      ],
    });
  });

  it('is over with its host, and the host’s container instance with it', async () => {
    const t = await testEcs();
    const instanceArn = await t.host('i-0aaa');
    const arn = firstArn(await t.run(await t.define('web')));
    await t.context.clock.advance(0);
    t.hosts.die('i-0aaa', 'power cut');
    const task = await t.task(arn);
    expect(task).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'TerminationNotice',
      stoppedReason: 'Host EC2 (instance i-0aaa) terminated.',
    });
    expect(task.containers?.[0]?.exitCode).toBeUndefined();
    expect(await t.instance(instanceArn)).toMatchObject({ status: 'INACTIVE', agentConnected: false });
    expect(t.eventsOf(instanceArn).at(-1)).toMatchObject({ status: 'INACTIVE', agentConnected: false });
    await t.context.clock.advance(3_600_000);
    await expect(t.task(arn)).rejects.toThrow('no task');
    await expect(t.instance(instanceArn)).rejects.toThrow('no container instance');
  });

  it('waits for a silent agent and hears everything when it is back', async () => {
    const t = await testEcs({ run: { runMs: 1000 } });
    const instanceArn = await t.host('i-0aaa');
    const arn = firstArn(await t.run(await t.define('web')));
    await t.context.clock.advance(0);
    t.hosts.silence('i-0aaa');
    await t.context.clock.advance(5000);
    expect(await t.task(arn)).toMatchObject({ lastStatus: 'RUNNING' });
    expect((await t.instance(instanceArn)).agentConnected).toBe(false);
    const refused = await t.run('web');
    expect(refused.failures).toEqual([{ arn: instanceArn, reason: 'AGENT' }]);
    t.hosts.speak('i-0aaa');
    expect(await t.task(arn)).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'EssentialContainerExited' });
  });

  it('shows a stopped task for one hour', async () => {
    const t = await testEcs({ run: { runMs: 0 } });
    await t.host('i-0aaa');
    const arn = firstArn(await t.run(await t.define('web')));
    await t.context.clock.advance(3_599_000);
    const listed = { cluster: 'c', desiredStatus: 'STOPPED' };
    expect(await t.call('ListTasks', listed)).toMatchObject({ taskArns: [arn] });
    await t.context.clock.advance(2000);
    expect(await t.call('ListTasks', listed)).toMatchObject({ taskArns: [] });
  });
});

describe('faults', () => {
  it('doubles, delays and drops events', async () => {
    const kinds = [
      { kind: 'duplicate', copies: 2 },
      { kind: 'delay', delayMs: 500 },
      { kind: 'drop' },
    ] as const;
    let drawn = 0;
    const faults = {
      at: (point: string, detail?: string) =>
        point === 'ecs.events' && detail?.includes(':task/') ? kinds[drawn++] : undefined,
    };
    const t = await testEcs({ over: { faults }, run: { runMs: 100 } });
    await t.host('i-0aaa');
    const arn = firstArn(await t.run(await t.define('web')));
    await t.context.clock.advance(400);
    expect(t.eventsOf(arn).map((detail) => detail.version)).toEqual([1, 1, 1]);
    await t.context.clock.advance(200);
    expect(t.eventsOf(arn).map((detail) => detail.version)).toEqual([1, 1, 1, 2]);
  });

  it('reads stale on demand: the version before, or nothing', async () => {
    let delayMs = 0;
    const faults = {
      at: (point: string) => (point === 'ecs.staleRead' ? ({ kind: 'delay', delayMs } as const) : undefined),
    };
    const t = await testEcs({ over: { faults }, run: { startMs: 1000 } });
    await t.host('i-0aaa');
    const arn = firstArn(await t.run(await t.define('web')));
    delayMs = 300;
    await expect(t.task(arn)).rejects.toThrow('no task');
    await t.context.clock.advance(1100);
    expect((await t.task(arn)).lastStatus).toBe('PENDING');
    await t.context.clock.advance(300);
    expect((await t.task(arn)).lastStatus).toBe('RUNNING');
  });

  it('hides a task from reads on demand, but none that is older than ECS takes to show it', async () => {
    const faults = {
      at: (point: string) => (point === 'ecs.staleRead' ? ({ kind: 'drop' } as const) : undefined),
    };
    const t = await testEcs({ over: { faults }, run: { runMs: 900_000 } });
    await t.host('i-0aaa');
    const arn = firstArn(await t.run(await t.define('web')));
    await t.context.clock.advance(299_999);
    await expect(t.task(arn)).rejects.toThrow('no task');
    await t.context.clock.advance(1);
    expect((await t.task(arn)).lastStatus).toBe('RUNNING');
  });

  it('loses an answer after the work is done; the same token then finds it', async () => {
    let lose = true;
    const faults = {
      at: (point: string) =>
        point === 'ecs.RunTask' && lose ? ({ kind: 'lost-answer' } as const) : undefined,
    };
    const t = await testEcs({ over: { faults } });
    await t.host('i-0aaa');
    const definition = await t.define('web');
    await expect(t.run(definition, { clientToken: 'x:1' })).rejects.toMatchObject({ statusCode: 500 });
    lose = false;
    const again = await t.run(definition, { clientToken: 'x:1' });
    const { taskArns } = await t.call<{ taskArns: string[] }>('ListTasks', { cluster: 'c' });
    expect(taskArns).toEqual([firstArn(again)]);
  });
});

describe('a restart', () => {
  it('keeps records, resources, tokens and what runs', async () => {
    const state = memoryState();
    const before = await testEcs({ over: { state } });
    const instanceArn = await before.host('i-0aaa');
    const definition = await before.define('web', { portMappings: [{ containerPort: 80, hostPort: 8080 }] });
    const arn = firstArn(await before.run(definition, { clientToken: 'x:1' }));
    await before.context.clock.advance(0);

    const after = await testEcs({
      over: { state, clock: restarted(before.context.clock) },
      hosts: before.hosts,
    });
    expect(await after.instance(instanceArn)).toMatchObject({ runningTasksCount: 1 });
    expect((await after.run(definition, { clientToken: 'x:1' })).tasks).toHaveLength(1);
    expect((await after.run(definition)).failures).toEqual([{ arn: instanceArn, reason: 'RESOURCE:PORTS' }]);
    const live = after.ecs.liveTasks();
    expect(live).toMatchObject([
      { instanceId: 'i-0aaa', launch: { taskArn: arn, family: 'web', revision: 1 } },
    ]);
    after.hosts.exit('i-0aaa', arn, 'main', 0);
    expect(await after.task(arn)).toMatchObject({ lastStatus: 'STOPPED' });
    expect((await after.run(definition)).failures).toEqual([]);
  });

  it('sends again what the host had not begun', async () => {
    const state = memoryState();
    const before = await testEcs({ over: { state } });
    await before.host('i-0aaa');
    const arn = firstArn(await before.run(await before.define('web')));
    await before.hosts.close({ removeAll: true });
    // New hosts know nothing of the task: the process died between its record and its start.
    const after = await testEcs({ over: { state, clock: restarted(before.context.clock) } });
    await after.host('i-0aaa');
    after.ecs.resume();
    await after.context.clock.advance(0);
    expect(after.hosts.running('i-0aaa')).toEqual([arn]);
  });
});
