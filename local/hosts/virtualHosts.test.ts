import { describe, expect, it } from 'vitest';
import { virtualClock } from '../engine/testClock.ts';
import type { ContainerChange, ContainerSpec, InstanceSpec, TaskLaunch } from './backend.ts';
import { VirtualHosts } from './virtualHosts.ts';
import type { Run } from './virtualRun.ts';

const instance: InstanceSpec = {
  instanceId: 'i-1',
  instanceType: 'c6i.large',
  vcpus: 2,
  memoryMiB: 4096,
  architecture: 'x86_64',
  zone: 'us-east-1a',
  lifecycle: 'on-demand',
  privateIp: '10.0.0.1',
  userData: '',
  tags: {},
};

const container = (name: string, over: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name,
  image: 'busybox',
  environment: {},
  cpuUnits: 0,
  essential: true,
  readonlyRootFilesystem: false,
  privileged: false,
  portMappings: [],
  dependsOn: [],
  stopTimeoutSeconds: 2,
  labels: {},
  ...over,
});

const launch = (...containers: ContainerSpec[]): TaskLaunch => ({
  taskArn: 'arn:task/1',
  ecsTaskId: '1',
  clusterName: 'c',
  family: 'f',
  revision: 1,
  networkMode: 'bridge',
  containers,
});

async function up(runs: Record<string, Run> = {}) {
  const clock = virtualClock();
  const hosts = new VirtualHosts({ clock, bootMs: 0, run: ({ name }) => runs[name] ?? {} });
  const said: string[] = [];
  const describeChange = (change: ContainerChange): string =>
    [change.containerName, change.status, change.exitCode ?? change.reason]
      .filter((part) => part !== undefined)
      .join(' ');
  hosts.observe({
    booted: (id) => said.push(`booted ${id}`),
    bootFailed: (id, reason) => said.push(`failed ${id} ${reason}`),
    terminated: (id) => said.push(`terminated ${id}`),
    agentConnected: (id, connected) => said.push(`agent ${id} ${connected}`),
    containerChanged: (_id, _arn, change) => said.push(describeChange(change)),
  });
  hosts.boot(instance);
  hosts.boot(instance);
  await clock.advance(0);
  return { clock, hosts, said };
}

describe('VirtualHosts', () => {
  it('loses its tasks with its disk, tells nothing of their ends, and boots again', async () => {
    const { clock, hosts, said } = await up({ app: { runMs: 50_000 } });
    hosts.runTask('i-1', launch(container('app')));
    await clock.advance(1_000);
    hosts.silence('i-1');
    hosts.loseData('i-1', 10_000);
    expect(hosts.running('i-1')).toEqual([]);
    // Whoever had cut it off lets it speak: it has nothing to say before it is up.
    hosts.speak('i-1');
    await clock.advance(60_000);
    expect(said.slice(1)).toEqual(['app RUNNING', 'agent i-1 false', 'booted i-1']);
  });

  it('runs on what its agent has forgotten, tells nothing of it, and takes it along when it is terminated', async () => {
    const { clock, hosts, said } = await up({ app: { runMs: 50_000, stopMs: 1 }, other: { runMs: 1_000 } });
    hosts.runTask('i-1', launch(container('app')));
    await clock.advance(1_000);
    hosts.forget('i-1', 10_000);
    await clock.advance(10_000);
    const { taskArn } = launch(container('app'));
    hosts.stopTask('i-1', taskArn, 'the agent knows no such task');
    hosts.runTask('i-1', { ...launch(container('other')), taskArn: 'arn:other' });
    await clock.advance(2_000);
    expect(hosts.running('i-1')).toEqual([taskArn]);
    hosts.terminate('i-1', 5_000);
    expect(hosts.running('i-1')).toEqual([taskArn]);
    await clock.advance(5_000);
    expect(hosts.running('i-1')).toEqual([]);
    expect(said.slice(1)).toEqual([
      'app RUNNING',
      'agent i-1 false',
      'booted i-1',
      'other RUNNING',
      'other STOPPED 0',
      'terminated i-1',
    ]);
  });

  it('starts containers in the order of their dependencies', async () => {
    const { clock, hosts, said } = await up({ init: { runMs: 100 }, app: { runMs: 100, exitCode: 4 } });
    const dependsOn = [{ containerName: 'init', condition: 'SUCCESS' as const }];
    hosts.runTask('i-1', launch(container('app', { dependsOn }), container('init', { essential: false })));
    hosts.runTask('i-1', launch(container('app')));
    await clock.advance(1000);
    expect(said).toEqual(['booted i-1', 'init RUNNING', 'init STOPPED 0', 'app RUNNING', 'app STOPPED 4']);
  });

  it('never starts what depends on a failure', async () => {
    const { clock, hosts, said } = await up({ init: { runMs: 100, exitCode: 1 } });
    const dependsOn = [{ containerName: 'init', condition: 'SUCCESS' as const }];
    hosts.runTask('i-1', launch(container('app', { dependsOn }), container('init', { essential: false })));
    await clock.advance(1000);
    expect(said.at(-1)).toBe('app STOPPED CannotStartContainerError: init will not reach SUCCESS');
  });

  it('kills at the stop timeout what does not stop', async () => {
    const { clock, hosts, said } = await up({ app: { stopMs: 60_000 } });
    hosts.runTask('i-1', launch(container('app')));
    await clock.advance(0);
    hosts.stopTask('i-1', 'arn:task/1', 'enough');
    await clock.advance(1999);
    expect(said.at(-1)).toBe('app RUNNING');
    await clock.advance(1);
    expect(said.at(-1)).toBe('app STOPPED 143');
  });

  it('terminates after the grace, and at once when nothing runs', async () => {
    const { clock, hosts, said } = await up({ app: { stopMs: 60_000 } });
    hosts.runTask('i-1', launch(container('app')));
    await clock.advance(0);
    hosts.terminate('i-1', 500);
    await clock.advance(499);
    expect(said).not.toContain('terminated i-1');
    await clock.advance(1);
    expect(said.at(-1)).toBe('terminated i-1');
    hosts.terminate('i-1', 500);
    expect(hosts.instanceIds).toEqual([]);
  });

  it('adopts: reports what runs, starts what does not, removes what no record names', async () => {
    const { clock, hosts, said } = await up();
    hosts.runTask('i-1', launch(container('app')));
    await clock.advance(0);
    said.length = 0;
    await hosts.adopt([instance], [{ instanceId: 'i-1', launch: launch(container('app')) }]);
    expect(said).toEqual(['booted i-1', 'app RUNNING']);
    const other = { ...launch(container('web')), taskArn: 'arn:task/2' };
    await hosts.adopt([instance], [{ instanceId: 'i-1', launch: other }]);
    await clock.advance(0);
    expect(hosts.running('i-1')).toEqual(['arn:task/2']);
    await hosts.adopt([], []);
    expect(hosts.instanceIds).toEqual([]);
  });

  it('refuses tasks for a host that is not up', async () => {
    const { hosts, said } = await up();
    hosts.runTask('i-2', launch(container('app')));
    expect(said.at(-1)).toBe('app STOPPED The instance i-2 is not running');
  });
});
