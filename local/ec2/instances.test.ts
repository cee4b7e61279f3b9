import type {
  DescribeInstanceStatusCommandOutput,
  DescribeInstancesCommandOutput,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { memoryState } from '../engine/state.ts';
import { restarted } from '../engine/testClock.ts';
import { type TestEc2, testEc2, X86_IMAGE } from './testEc2.ts';

async function launch(t: TestEc2, lifecycle: 'spot' | 'on-demand' = 'on-demand'): Promise<string> {
  const output = await t.fleet(1, { lifecycle });
  return output.Instances?.[0]?.InstanceIds?.[0] ?? '';
}

const states = (t: TestEc2): unknown[] =>
  t.events
    .filter((event) => event['detail-type'] === 'EC2 Instance State-change Notification')
    .map((event) => (event.detail as { state: string }).state);

describe('the life of an instance', () => {
  it('is pending for six tenths of its boot, registers at its end, and tells every state', async () => {
    const t = testEc2({}, { bootMs: 2000 });
    await t.template();
    const id = await launch(t);
    await t.context.clock.advance(1199);
    expect(t.ec2.instance(id)?.state).toBe('pending');
    await t.context.clock.advance(1);
    expect(t.ec2.instance(id)?.state).toBe('running');
    expect(t.hosts.instanceIds).toEqual([id]);
    await t.context.clock.advance(799);
    expect(t.hooks).toEqual([]);
    await t.context.clock.advance(1);
    expect(t.hooks).toEqual([`booted ${id}`]);
    const ended = await t.call('TerminateInstances', { InstanceIds: [id] });
    expect(ended).toEqual({
      TerminatingInstances: [
        {
          InstanceId: id,
          PreviousState: { Code: 16, Name: 'running' },
          CurrentState: { Code: 32, Name: 'shutting-down' },
        },
      ],
    });
    await t.context.clock.advance(0);
    expect(t.hooks.slice(1)).toEqual([`shuttingDown ${id}`, `terminated ${id}`]);
    expect(states(t)).toEqual(['pending', 'running', 'shutting-down', 'terminated']);
    expect(t.events[0]).toMatchObject({
      source: 'aws.ec2',
      detail: { 'instance-id': id, state: 'pending' },
      resources: [`arn:aws:ec2:us-east-1:000000000000:instance/${id}`],
    });
    const [instance] = await t.instances({ 'instance-state-name': ['terminated'] });
    expect(instance).toMatchObject({
      StateReason: { Code: 'Client.UserInitiatedShutdown' },
      StateTransitionReason: expect.stringMatching(/^User initiated \(2026-01-01 00:00:0\d GMT\)$/),
    });
    expect(instance?.PrivateIpAddress).toBeUndefined();
    await t.context.clock.advance(3_600_000);
    await expect(t.call('DescribeInstances', { InstanceIds: [id] })).rejects.toMatchObject({
      code: 'InvalidInstanceID.NotFound',
      message: `The instance ID '${id}' does not exist`,
    });
  });

  it('ends a pending instance that never booted', async () => {
    const t = testEc2();
    await t.template();
    const id = await launch(t);
    await t.call('TerminateInstances', { InstanceIds: [id] });
    await t.context.clock.advance(5000);
    expect(t.ec2.instance(id)?.state).toBe('terminated');
    expect(t.hosts.instanceIds).toEqual([]);
  });

  it('ends with its host, booting or not', async () => {
    const t = testEc2();
    await t.template();
    const [lost, failed] = [await launch(t), await launch(t)];
    t.hosts.failBoot(failed, 'no space');
    await t.context.clock.advance(2000);
    expect(t.ec2.instance(failed)).toMatchObject({
      state: 'terminated',
      stateReason: { code: 'Server.InternalError' },
    });
    t.hosts.die(lost, 'power cut');
    expect(t.ec2.instance(lost)).toMatchObject({
      state: 'terminated',
      stateReason: { code: 'Server.InternalError' },
    });
    expect(t.context.lines).toContain(`${lost} is gone: power cut`);
  });

  it('is ended by EC2 when the backend never answers', async () => {
    const t = testEc2({}, { terminateGraceMs: 1000 });
    await t.template();
    const id = await launch(t);
    await t.context.clock.advance(2000);
    await t.hosts.adopt([], []);
    await t.call('TerminateInstances', { InstanceIds: [id] });
    await t.context.clock.advance(30_000);
    expect(t.ec2.instance(id)?.state).toBe('shutting-down');
    await t.context.clock.advance(1000);
    expect(t.ec2.instance(id)?.state).toBe('terminated');
  });

  it('is taken back by Spot two minutes after the warning, across a restart', async () => {
    const state = memoryState();
    const t = testEc2({ state });
    await t.template();
    const id = await launch(t, 'spot');
    await t.context.clock.advance(2000);
    t.ec2.recommendRebalance(id);
    t.ec2.interruptSpot(id);
    t.ec2.interruptSpot(id);
    expect(t.events.slice(-2)).toMatchObject([
      { 'detail-type': 'EC2 Instance Rebalance Recommendation', detail: { 'instance-id': id } },
      {
        'detail-type': 'EC2 Spot Instance Interruption Warning',
        detail: { 'instance-id': id, 'instance-action': 'terminate' },
        resources: [`arn:aws:ec2:us-east-1a:instance/${id}`],
      },
    ]);
    await t.hosts.close({ removeAll: true });
    const after = testEc2({ state, clock: restarted(t.context.clock) });
    await after.hosts.adopt(after.ec2.resume(), []);
    await after.context.clock.advance(119_000);
    expect(after.ec2.instance(id)?.state).toBe('running');
    await after.context.clock.advance(1000);
    expect(after.ec2.instance(id)).toMatchObject({
      state: 'terminated',
      stateReason: { code: 'Server.SpotInstanceTermination' },
    });
  });

  it('goes on where it was after a restart', async () => {
    const state = memoryState();
    const t = testEc2({ state });
    await t.template();
    const [running, ending] = [await launch(t), await launch(t)];
    await t.context.clock.advance(2000);
    const pending = await launch(t);
    await t.hosts.close({ removeAll: true });
    await t.call('TerminateInstances', { InstanceIds: [ending] });
    const after = testEc2({ state, clock: restarted(t.context.clock) });
    const specs = after.ec2.resume();
    expect(specs.map((spec) => spec.instanceId)).toEqual([running]);
    expect(specs[0]).toMatchObject({
      instanceType: 'c6i.large',
      vcpus: 2,
      memoryMiB: 4096,
      zone: 'us-east-1a',
    });
    expect(after.ec2.instance(ending)?.state).toBe('terminated');
    await after.hosts.adopt(specs, []);
    await after.context.clock.advance(2000);
    expect(after.ec2.instance(pending)?.state).toBe('running');
    const next = await launch(after);
    expect(after.ec2.instance(next)?.privateIp).not.toBe(after.ec2.instance(running)?.privateIp);
  });
});

describe('DescribeInstances', () => {
  it('filters, with wildcards, and pages', async () => {
    const t = testEc2();
    await t.template();
    await t.fleet(3, { types: ['c6i.large'] });
    await t.fleet(2, { types: ['m6i.xlarge'], lifecycle: 'spot' });
    expect(await t.instances({ 'instance-type': ['m6i.*', 'x*'] })).toHaveLength(2);
    expect(await t.instances({ 'instance-type': ['c6?.large'], 'instance-lifecycle': ['spot'] })).toEqual([]);
    expect(await t.instances({ 'tag-key': ['aws:ec2:fleet-id'] })).toHaveLength(5);
    const first = await t.call<DescribeInstancesCommandOutput>('DescribeInstances', { MaxResults: 4 });
    const second = await t.call<DescribeInstancesCommandOutput>('DescribeInstances', {
      MaxResults: 4,
      NextToken: first.NextToken,
    });
    const count = (output: DescribeInstancesCommandOutput) =>
      (output.Reservations ?? []).flatMap((each) => each.Instances ?? []).length;
    expect([count(first), count(second), second.NextToken]).toEqual([4, 1, undefined]);
    await expect(t.instances({ colour: ['red'] })).rejects.toMatchObject({
      code: 'InvalidParameterValue',
      message: "The filter 'colour' is invalid",
    });
    await expect(t.call('DescribeInstances', { InstanceIds: ['x'] })).rejects.toMatchObject({
      code: 'InvalidInstanceID.Malformed',
    });
  });

  it('does not see a young instance when reads are to be stale', async () => {
    const faults = {
      at: (point: string) =>
        point === 'ec2.staleRead' ? ({ kind: 'delay', delayMs: 500 } as const) : undefined,
    };
    const t = testEc2({ faults });
    await t.template();
    const id = await launch(t);
    await expect(t.call('DescribeInstances', { InstanceIds: [id] })).rejects.toMatchObject({
      code: 'InvalidInstanceID.NotFound',
    });
    expect(await t.instances()).toEqual([]);
    await t.context.clock.advance(500);
    expect(await t.instances()).toHaveLength(1);
  });

  it('shows checks and scheduled events in their status', async () => {
    const t = testEc2();
    await t.template();
    const id = await launch(t);
    const statuses = (input: object = {}) =>
      t.call<DescribeInstanceStatusCommandOutput>('DescribeInstanceStatus', input);
    expect((await statuses()).InstanceStatuses).toEqual([]);
    expect((await statuses({ IncludeAllInstances: true })).InstanceStatuses).toHaveLength(1);
    await t.context.clock.advance(2000);
    t.ec2.setImpaired(id, 'system');
    t.ec2.scheduleEvents(id, [
      { eventId: 'e-1', code: 'instance-retirement', description: 'degraded', notBefore: 0 },
    ]);
    expect((await statuses({ InstanceIds: [id] })).InstanceStatuses).toMatchObject([
      {
        InstanceStatus: { Status: 'ok' },
        SystemStatus: { Status: 'impaired' },
        Events: [{ Code: 'instance-retirement' }],
      },
    ]);
    t.ec2.setImpaired(id, undefined);
    const impaired = { Filters: [{ Name: 'system-status.status', Values: ['impaired'] }] };
    expect((await statuses(impaired)).InstanceStatuses).toEqual([]);
  });
});

describe('RunInstances', () => {
  it('launches up to the maximum or refuses below the minimum', async () => {
    const t = testEc2();
    t.ec2.setCapacity('c6i.large', 'us-east-1b', 'on-demand', 2);
    const input = {
      ImageId: X86_IMAGE,
      InstanceType: 'c6i.large',
      Placement: { AvailabilityZone: 'us-east-1b' },
      MinCount: 1,
      MaxCount: 3,
    };
    expect(await t.call('RunInstances', { ...input, ClientToken: 'a' })).toMatchObject({
      Instances: [{ State: { Name: 'pending' } }, { AmiLaunchIndex: 1 }],
    });
    await t.call('RunInstances', { ...input, ClientToken: 'a' });
    expect(await t.instances()).toHaveLength(2);
    await expect(t.call('RunInstances', input)).rejects.toMatchObject({
      code: 'InsufficientInstanceCapacity',
      statusCode: 500,
    });
  });

  it('spends the bucket of 1,000 instances and 2 a second', async () => {
    const t = testEc2();
    const input = { ImageId: X86_IMAGE, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1000 };
    await t.call('RunInstances', input);
    await expect(t.call('RunInstances', { ...input, MaxCount: 1 })).rejects.toMatchObject({
      code: 'RequestLimitExceeded',
      statusCode: 503,
    });
    await t.context.clock.advance(500);
    await t.call('RunInstances', { ...input, MaxCount: 1 });
  });
});
