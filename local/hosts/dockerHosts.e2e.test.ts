import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cgroupDirectories, controllerDirectory, parseCgroupMounts } from '../../agent/cgroupMounts.ts';
import { instanceCgroup, taskCgroup } from './cgroupSlice.ts';
import { OUT_OF_MEMORY } from './containerState.ts';
import { type DockerEngine, ensureDocker } from './docker.ts';
import { DockerHosts } from './dockerHosts.ts';
import { aContainer, anInstance, aTask, Recorder, temporaryDataDir } from './hostHarness.ts';
import { ensureDemoImage } from './image.ts';
import { sweep } from './sweep.ts';

const data = temporaryDataDir();
const mounts = parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
const instance = anInstance();
const { instanceId } = instance;
const log = (): void => {};
let engine: DockerEngine;
let hosts: DockerHosts;
let seen: Recorder;

beforeAll(async () => {
  engine = await ensureDocker(data.path, log);
  await ensureDemoImage(engine.docker);
  hosts = new DockerHosts({ dataDir: data.path, engine, log });
  seen = new Recorder();
  hosts.observe(seen);
  hosts.boot(instance);
  await seen.saw(`booted ${instanceId}`);
});

afterAll(async () => {
  await hosts.close({ removeAll: true });
  await sweep(data.path, log);
  data.remove();
});

const docker = (...args: string[]): string =>
  execFileSync('docker', ['-H', `unix://${engine.socketPath}`, ...args], { encoding: 'utf8' });

describe('an instance', () => {
  test('is a cgroup of its type, and repeating its boot does nothing', () => {
    hosts.boot(instance);
    const memory = controllerDirectory(mounts, 'memory', instanceCgroup(instanceId)) ?? '';
    const file = mounts.version === 1 ? 'memory.limit_in_bytes' : 'memory.max';
    expect(Number(readFileSync(join(memory, file), 'utf8'))).toBe(4096 * 1024 * 1024);
    expect(seen.lines.filter((line) => line === `booted ${instanceId}`)).toHaveLength(1);
  });
});

describe('a task', () => {
  test('runs inside its own cgroup with the limits of its task definition, and leaves nothing behind', async () => {
    const launch = aTask([aContainer()], { cpuUnits: 512, memoryMiB: 256 });
    hosts.runTask(instanceId, launch);
    hosts.runTask(instanceId, launch);
    const running = await seen.status(launch, 'main', 'RUNNING');
    expect(running.startedAt).toBeGreaterThan(Date.now() - 30_000);
    expect(running.imageDigest).toMatch(/^sha256:/);
    const cgroup = taskCgroup(instanceId, launch.ecsTaskId);
    const pid = docker('inspect', '-f', '{{.State.Pid}}', running.runtimeId ?? '').trim();
    expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toContain(`${cgroup}/${running.runtimeId}`);
    const cpu = controllerDirectory(mounts, 'cpu', cgroup) ?? '';
    const quota =
      mounts.version === 1
        ? readFileSync(join(cpu, 'cpu.cfs_quota_us'), 'utf8')
        : readFileSync(join(cpu, 'cpu.max'), 'utf8').split(' ')[0];
    expect(Number(quota)).toBe(50_000);
    expect(
      docker('ps', '-q', '--filter', `label=com.amazonaws.ecs.task-arn=${launch.taskArn}`).trim(),
    ).toMatch(/^\w+$/);

    hosts.stopTask(instanceId, launch.taskArn, 'asked');
    hosts.stopTask(instanceId, launch.taskArn, 'asked again');
    const stopped = await seen.status(launch, 'main', 'STOPPED');
    expect(stopped.exitCode).toBe(137);
    expect(stopped.reason).toBeUndefined();
    await gone(launch.ecsTaskId, running.runtimeId ?? '');
  });

  test('ends with its exit code, its log kept in a file', async () => {
    const launch = aTask([aContainer({ command: ['sh', '-c', 'echo hello; echo oops >&2; exit 3'] })]);
    hosts.runTask(instanceId, launch);
    const stopped = await seen.status(launch, 'main', 'STOPPED');
    expect(stopped.exitCode).toBe(3);
    expect(stopped.finishedAt).toBeGreaterThanOrEqual(stopped.startedAt ?? Infinity);
    await gone(launch.ecsTaskId, stopped.runtimeId ?? '');
    const text = readFileSync(join(data.path, 'logs', launch.ecsTaskId, 'main.log'), 'utf8');
    expect(text.split('\n').sort()).toEqual(['', 'hello', 'oops']);
  });

  test('starts containers in the order of their dependencies and stops them with the essential one', async () => {
    const launch = aTask([
      aContainer({
        name: 'app',
        command: ['sleep', '1'],
        dependsOn: [
          { containerName: 'migrate', condition: 'SUCCESS' },
          { containerName: 'sidecar', condition: 'START' },
        ],
      }),
      aContainer({ name: 'migrate', essential: false, command: ['true'] }),
      aContainer({ name: 'sidecar', essential: false }),
    ]);
    hosts.runTask(instanceId, launch);
    await seen.status(launch, 'sidecar', 'STOPPED');
    await seen.status(launch, 'app', 'STOPPED');
    const order = seen.history
      .filter(({ taskArn }) => taskArn === launch.taskArn)
      .map(({ change }) => `${change.containerName} ${change.status}`);
    expect(order.indexOf('app RUNNING')).toBeGreaterThan(order.indexOf('migrate STOPPED'));
    expect(order.indexOf('app RUNNING')).toBeGreaterThan(order.indexOf('sidecar RUNNING'));
    expect(order.indexOf('sidecar STOPPED')).toBeGreaterThan(order.indexOf('app STOPPED'));
  });

  test('publishes fixed and ephemeral ports', async () => {
    const launch = aTask([
      aContainer({
        command: ['httpd', '-f', '-p', '8080', '-h', '/www'],
        portMappings: [
          { containerPort: 8080, hostPort: 0, protocol: 'tcp' },
          { containerPort: 8080, hostPort: 28_471, protocol: 'tcp' },
        ],
      }),
    ]);
    hosts.runTask(instanceId, launch);
    const { networkBindings } = await seen.status(launch, 'main', 'RUNNING');
    const ports = networkBindings?.map(({ hostPort }) => hostPort) ?? [];
    expect(ports).toContain(28_471);
    expect(ports).toHaveLength(2);
    for (const port of ports)
      expect(await fetch(`http://127.0.0.1:${port}/`).then((r) => r.text())).toBe('Berth\n');
    hosts.stopTask(instanceId, launch.taskArn, 'done');
    await seen.status(launch, 'main', 'STOPPED');
  });

  test.each([
    ['an image nobody has', { image: 'localhost:1/none:x' }, /^CannotPullContainerError: /],
    [
      'a command that does not exist',
      { command: ['/no/such'] },
      /^CannotStartContainerError: .*no such file/,
    ],
    [
      'more memory than allowed',
      { command: ['sh', '-c', 'tail /dev/zero'], memoryMiB: 16 },
      new RegExp(`^${OUT_OF_MEMORY}$`),
    ],
  ])('tells ECS why it ended: %s', async (_, container, reason) => {
    const launch = aTask([aContainer(container)]);
    hosts.runTask(instanceId, launch);
    expect((await seen.status(launch, 'main', 'STOPPED')).reason).toMatch(reason);
  });
});

describe('two tasks', () => {
  test('see neither processes, files nor network of each other', async () => {
    const secret = aTask([
      aContainer({ command: ['sh', '-c', 'echo secret >/tmp/secret; exec httpd -f -p 8080 -h /www'] }),
    ]);
    hosts.runTask(instanceId, secret);
    const { runtimeId = '' } = await seen.status(secret, 'main', 'RUNNING');
    const pid = docker('inspect', '-f', '{{.State.Pid}}', runtimeId).trim();
    const address = execFileSync('nsenter', ['-t', pid, '-n', 'ip', '-4', '-o', 'address', 'show', 'eth0'], {
      encoding: 'utf8',
    });
    const ip = /inet ([\d.]+)/.exec(address)?.[1] ?? '';
    expect(ip).not.toBe('');
    // The host reaches it: what follows fails by isolation, not because nobody listens.
    await expect
      .poll(() => fetch(`http://${ip}:8080/`).then((r) => r.text()), { timeout: 5_000 })
      .toBe('Berth\n');

    const spy = aTask([
      aContainer({
        command: [
          'sh',
          '-c',
          `echo processes=$(ps | grep -c '[h]ttpd'); echo file=$(cat /tmp/secret 2>/dev/null); ` +
            `echo net=$(timeout 2 wget -q -O - http://${ip}:8080/ 2>/dev/null); echo listeners=$(cat /proc/net/tcp | grep -c ' 0A ')`,
        ],
      }),
    ]);
    hosts.runTask(instanceId, spy);
    const ended = await seen.status(spy, 'main', 'STOPPED');
    await gone(spy.ecsTaskId, ended.runtimeId ?? '');
    const text = readFileSync(join(data.path, 'logs', spy.ecsTaskId, 'main.log'), 'utf8');
    // busybox's timeout may tell that it ended wget.
    expect(text.replace('Terminated\n', '')).toBe('processes=0\nfile=\nnet=\nlisteners=0\n');
    hosts.stopTask(instanceId, secret.taskArn, 'done');
    await seen.status(secret, 'main', 'STOPPED');
  });
});

test('a network namespace made ahead is lent to one container at a time, and again when that is gone', async () => {
  const networkOf = (launch: ReturnType<typeof aTask>): string => {
    const id = seen.changes.get(`${launch.taskArn} main`)?.runtimeId ?? '';
    return docker('inspect', '--format', '{{.HostConfig.NetworkMode}}', id).trim();
  };
  const run = async (): Promise<ReturnType<typeof aTask>> => {
    const launch = aTask([aContainer()]);
    hosts.runTask(instanceId, launch);
    await seen.status(launch, 'main', 'RUNNING');
    return launch;
  };
  const first = await run();
  const second = await run();
  const lent = networkOf(first);
  expect(lent).toMatch(/^container:[0-9a-f]{64}$/);
  expect(networkOf(second)).not.toBe(lent);
  hosts.stopTask(instanceId, first.taskArn, 'done');
  hosts.stopTask(instanceId, second.taskArn, 'done');
  for (const launch of [first, second]) {
    const { runtimeId = '' } = await seen.status(launch, 'main', 'STOPPED');
    await gone(launch.ecsTaskId, runtimeId);
  }
  // Whoever kills a holder takes the network with it; the next container starts on another.
  docker('rm', '-f', lent.slice('container:'.length));
  const others = [await run(), await run(), await run()];
  expect(new Set(others.map(networkOf)).has(lent)).toBe(false);
  for (const launch of others) {
    hosts.stopTask(instanceId, launch.taskArn, 'done');
    await seen.status(launch, 'main', 'STOPPED');
  }
});

describe('after a restart', () => {
  test('what runs is adopted, what ended is reported, what no record names is removed', async () => {
    const other = new DockerHosts({ dataDir: data.path, engine, log });
    const runs = aTask([aContainer()]);
    const ends = aTask([aContainer({ command: ['sleep', '2'] })]);
    const stranger = aTask([aContainer()]);
    const lost = aTask([aContainer()]);
    for (const launch of [runs, ends, stranger, lost]) hosts.runTask(instanceId, launch);
    for (const launch of [runs, ends, stranger, lost]) await seen.status(launch, 'main', 'RUNNING');
    // The first process dies: it observes and cleans up no more.
    await hosts.close({ removeAll: false });
    docker('rm', '-f', seen.changes.get(`${lost.taskArn} main`)?.runtimeId ?? '');
    await expect
      .poll(
        () => docker('ps', '-q', '--filter', 'label=com.amazonaws.ecs.task-arn').trim().split('\n').length,
        { timeout: 10_000 },
      )
      .toBe(2);

    const after = new Recorder();
    other.observe(after);
    const task = (launch: typeof runs) => ({ instanceId, launch });
    await other.adopt([instance], [task(runs), task(ends), task(lost)]);
    expect((await after.status(runs, 'main', 'RUNNING')).runtimeId).toBe(
      seen.changes.get(`${runs.taskArn} main`)?.runtimeId,
    );
    expect((await after.status(ends, 'main', 'STOPPED')).exitCode).toBe(0);
    expect((await after.status(lost, 'main', 'STOPPED')).reason).toMatch(/removed/);
    expect(docker('ps', '-q', '--no-trunc', '--filter', 'label=com.amazonaws.ecs.task-arn').trim()).toBe(
      seen.changes.get(`${runs.taskArn} main`)?.runtimeId,
    );
    const memory = controllerDirectory(mounts, 'memory', `${instanceCgroup(instanceId)}/ecs`) ?? '';
    await expect
      .poll(() =>
        readdirSync(memory, { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map(({ name }) => name),
      )
      .toEqual([runs.ecsTaskId]);

    other.terminate(instanceId, 0);
    await after.until(() => after.lines.find((line) => line.startsWith(`terminated ${instanceId}`)));
    expect((await after.status(runs, 'main', 'STOPPED')).exitCode).toBe(137);
    expect(docker('ps', '-aq').trim()).toBe('');
    for (const directory of cgroupDirectories(mounts, instanceCgroup(instanceId))) {
      expect(existsSync(directory)).toBe(false);
    }
    await other.close({ removeAll: false });
  });
});

/** A task leaves no container and no cgroup. */
async function gone(ecsTaskId: string, runtimeId: string): Promise<void> {
  const directories = cgroupDirectories(mounts, taskCgroup(instanceId, ecsTaskId));
  await expect.poll(() => directories.filter(existsSync), { timeout: 10_000 }).toEqual([]);
  expect(docker('ps', '-aq', '--no-trunc')).not.toContain(runtimeId);
}
