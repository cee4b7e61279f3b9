import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createConnection, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { controllerDirectory, parseCgroupMounts } from '../../agent/cgroupMounts.ts';
import { queueOf } from '../../agent/hostSuite/taskNetwork.ts';
import type { HostReport } from '../../layers/domain/isolation/hostReport.ts';
import { LAUNCH_ENVIRONMENT } from '../../layers/domain/isolation/profile.ts';
import { agentCommand } from './agentCommand.ts';
import { taskCgroup } from './cgroupSlice.ts';
import { type DockerEngine, ensureDocker } from './docker.ts';
import { DockerHosts } from './dockerHosts.ts';
import { aContainer, anInstance, aTask, Recorder, temporaryDataDir } from './hostHarness.ts';
import { ensureDemoImage } from './image.ts';
import { sweep } from './sweep.ts';

const data = temporaryDataDir();
const mounts = parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
const v1 = mounts.version === 1;
const instance = anInstance({ userData: '#!/bin/bash\necho ECS_CLUSTER=blue >> /etc/ecs/ecs.config\n' });
const { instanceId } = instance;
const log = (): void => {};
/** Stands for DynamoDB: keeps the items that were put. */
const reports: HostReport[] = [];
const table = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    reports.push(unmarshall(JSON.parse(body).Item) as HostReport);
    response.setHeader('content-type', 'application/x-amz-json-1.0').end('{}');
  });
});
const setup = () => ({
  dataDir: data.path,
  dockerSocket: engine.socketPath,
  endpoint: `http://127.0.0.1:${(table.address() as AddressInfo).port}`,
  region: 'us-east-1',
  accountId: '000000000000',
  table: 'berth',
});
let engine: DockerEngine;
let hosts: DockerHosts;
let seen: Recorder;

beforeAll(async () => {
  await new Promise<void>((listening) => table.listen(0, '127.0.0.1', listening));
  engine = await ensureDocker(data.path, log);
  await ensureDemoImage(engine.docker);
  const agent = agentCommand(setup());
  hosts = new DockerHosts({ dataDir: data.path, engine, log, agent });
  seen = new Recorder();
  hosts.observe(seen);
  hosts.boot(instance);
  await seen.saw(`booted ${instanceId}`);
  await reported((report) => report.instanceId === instanceId);
});

afterAll(async () => {
  await hosts.close({ removeAll: true });
  await sweep(data.path, log);
  table.close();
  data.remove();
});

/** The first report that satisfies the predicate. */
async function reported(predicate: (report: HostReport) => boolean): Promise<HostReport> {
  await vi.waitUntil(() => reports.some(predicate), { timeout: 45_000, interval: 50 });
  return reports.findLast(predicate) as HostReport;
}

/** What the agent knows now, from its status socket. */
const status = (): Promise<HostReport> =>
  new Promise((resolve, reject) => {
    const socket = createConnection(join(data.path, 'hosts', instanceId, 'agent', 'status.sock'));
    let body = '';
    socket.on('data', (chunk) => {
      body += chunk;
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(JSON.parse(body)));
  });

/** The detail of the first notice of a kind about a task. */
async function noticed(taskId: string, kind: string): Promise<string> {
  const find = async (): Promise<string | undefined> =>
    (await status()).notices.find((notice) => notice.taskId === taskId && notice.kind === kind)?.detail;
  await expect.poll(find, { timeout: 30_000, interval: 100 }).toBeDefined();
  return (await find()) ?? '';
}

async function ends(launch: ReturnType<typeof aTask>): Promise<void> {
  hosts.stopTask(instanceId, launch.taskArn, 'done');
  await seen.status(launch, 'main', 'STOPPED');
}

const value = (ecsTaskId: string, controller: string, file: string): string =>
  readFileSync(
    join(controllerDirectory(mounts, controller, taskCgroup(instanceId, ecsTaskId)) ?? '', file),
    'utf8',
  ).trim();

const withProfile = (taskId: string, profile: unknown) => ({
  environment: {
    [LAUNCH_ENVIRONMENT.taskId]: taskId,
    [LAUNCH_ENVIRONMENT.attempt]: '1',
    [LAUNCH_ENVIRONMENT.isolation]: JSON.stringify(profile),
  },
});

test('the isolation profile stands on the task before its first process, and is told', async () => {
  const launch = aTask([
    aContainer({
      ...withProfile('task-a', {
        qos: 'burstable',
        cpu: { limitUnits: 512, weight: 300, burstUs: 20_000 },
        memory: { maxMiB: 64 },
        pids: { max: 77 },
      }),
    }),
  ]);
  hosts.runTask(instanceId, launch);
  await seen.status(launch, 'main', 'RUNNING');
  const cpu = v1
    ? ['cpu.cfs_quota_us', 'cpu.cfs_burst_us', 'cpu.shares']
    : ['cpu.max', 'cpu.max.burst', 'cpu.weight'];
  const wanted = v1 ? ['50000', '20000', '3072'] : ['50000 100000', '20000', '300'];
  expect(cpu.map((file) => value(launch.ecsTaskId, 'cpu', file))).toEqual(wanted);
  expect(value(launch.ecsTaskId, 'memory', v1 ? 'memory.limit_in_bytes' : 'memory.max')).toBe(
    String(64 * 2 ** 20),
  );
  expect(value(launch.ecsTaskId, 'pids', 'pids.max')).toBe('77');
  const report = await status();
  expect(report).toMatchObject({ cluster: 'blue', instanceId });
  expect(reports.at(-1)).toMatchObject({
    cluster: 'blue',
    instanceId,
    pk: expect.stringContaining(`instance/${instanceId}`),
  });
  expect(report.tasks['task-a']).toMatchObject({
    attempt: 1,
    applied: true,
    inTime: true,
    refused: [],
    failures: [],
  });
  hosts.stopTask(instanceId, launch.taskArn, 'done');
  await seen.status(launch, 'main', 'STOPPED');
});

test('a value that somebody changes returns, and a killed agent takes over what is there', async () => {
  const launch = aTask([aContainer(withProfile('task-b', { qos: 'burstable', pids: { max: 55 } }))]);
  hosts.runTask(instanceId, launch);
  await seen.status(launch, 'main', 'RUNNING');
  const file = join(
    controllerDirectory(mounts, 'pids', taskCgroup(instanceId, launch.ecsTaskId)) ?? '',
    'pids.max',
  );
  writeFileSync(file, 'max');
  await expect.poll(() => readFileSync(file, 'utf8').trim(), { timeout: 1_000, interval: 5 }).toBe('55');

  const pid = Number(readFileSync(join(data.path, 'hosts', instanceId, 'agent.pid'), 'utf8'));
  process.kill(pid, 'SIGKILL');
  writeFileSync(file, 'max');
  await expect.poll(() => readFileSync(file, 'utf8').trim(), { timeout: 10_000 }).toBe('55');
  expect(Number(readFileSync(join(data.path, 'hosts', instanceId, 'agent.pid'), 'utf8'))).not.toBe(pid);
  hosts.stopTask(instanceId, launch.taskArn, 'done');
  await seen.status(launch, 'main', 'STOPPED');
});

test('a second agent refuses to run on the host, and says so', () => {
  const { argv, environment } = agentCommand(setup())(instance);
  const second = (): string =>
    execFileSync(argv[0], [...argv.slice(1), '--instance', instanceId], {
      env: environment,
      stdio: 'pipe',
      encoding: 'utf8',
    });
  expect(second).toThrow(`An agent already runs for ${instanceId}`);
});

test('kills for memory, refused forks and throttling are told with their cause', async () => {
  const memory = aTask([
    aContainer({
      ...withProfile('greedy', { qos: 'burstable', memory: { maxMiB: 32 } }),
      command: ['sh', '-c', 'while true; do tail /dev/zero; done'],
    }),
  ]);
  const forks = aTask([
    aContainer({
      ...withProfile('forker', { qos: 'burstable', pids: { max: 8 } }),
      // The inner shell ends at the first refusal; the outer one needs no fork to live on.
      command: ['sh', '-c', "sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 300 & done'; exec sleep 300"],
    }),
  ]);
  const cpu = aTask([
    aContainer({
      ...withProfile('spinner', { qos: 'burstable', cpu: { limitUnits: 102, burstUs: 0 } }),
      command: ['sh', '-c', 'while true; do :; done'],
    }),
  ]);
  for (const launch of [memory, forks, cpu]) hosts.runTask(instanceId, launch);
  expect(await noticed('greedy', 'oom-kill')).toMatch(/killed for memory: its limit is 33554432 bytes/);
  expect(await noticed('forker', 'pids-limit')).toMatch(/forks refused at 8 processes/);
  expect(await noticed('spinner', 'throttled')).toMatch(/by its quota of 0\.0996 CPUs/);
  const { tasks } = await status();
  expect(tasks.spinner?.throttledMs).toBeGreaterThan(0);
  expect(tasks.spinner?.usage?.cpuP50).toBeLessThan(0.15);
  for (const launch of [memory, forks, cpu]) await ends(launch);
});

test('with oomGroup a task ends as a whole when one of its processes is killed for memory', async () => {
  const launch = aTask([
    aContainer({
      ...withProfile('whole', { qos: 'burstable', memory: { maxMiB: 32, oomGroup: true } }),
      // On v1 it is the agent that ends the shell, which the kernel lets live.
      command: ['sh', '-c', 'tail /dev/zero; sleep 300'],
    }),
  ]);
  hosts.runTask(instanceId, launch);
  expect(await seen.status(launch, 'main', 'STOPPED')).toMatchObject({ exitCode: 137 });
});

test('an egress limit holds what leaves a container to its rate', async () => {
  const sink = createTcpServer((socket) => socket.on('error', () => socket.destroy()).resume());
  await new Promise<void>((listening) => sink.listen(0, listening));
  const { port } = sink.address() as AddressInfo;
  const gateway = "$(ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p')";
  const launch = aTask([
    aContainer({
      ...withProfile('talker', { qos: 'burstable', network: { egressMbps: 8 } }),
      command: ['sh', '-c', `while true; do nc ${gateway} ${port} </dev/zero; sleep 0.1; done`],
    }),
  ]);
  hosts.runTask(instanceId, launch);
  const { runtimeId = '' } = await seen.status(launch, 'main', 'RUNNING');
  const { Pid } = (await engine.docker.getContainer(runtimeId).inspect()).State;
  await expect.poll(() => queueOf(Pid), { timeout: 10_000 }).toMatchObject({ kind: 'tbf' });
  await expect.poll(() => queueOf(Pid).bytes, { timeout: 10_000 }).toBeGreaterThan(500_000);
  const [before, at] = [queueOf(Pid), performance.now()];
  await sleep(2_000);
  const after = queueOf(Pid);
  const bytesPerSecond = (after.bytes - before.bytes) / ((performance.now() - at) / 1000);
  expect(bytesPerSecond).toBeGreaterThan(0);
  expect(bytesPerSecond).toBeLessThan(1.1e6);
  expect(after.overlimits).toBeGreaterThan(before.overlimits);
  sink.close();
  await ends(launch);
});

test('status is a table for a person and JSON for a program', async () => {
  const launch = aTask([aContainer(withProfile('shown', { qos: 'best-effort', hugetlb: { '16GB': 1 } }))]);
  hosts.runTask(instanceId, launch);
  await seen.status(launch, 'main', 'RUNNING');
  const { argv, environment } = agentCommand(setup())(instance);
  const run = (...args: string[]): string =>
    execFileSync(argv[0], [...argv.slice(1), 'status', ...args], { env: environment, encoding: 'utf8' });
  const table = run();
  expect(table).toMatch(/TASK +APPLIED +IN TIME/);
  expect(table).toMatch(/shown +yes +yes .*hugetlb\.16GB: the host has no 16GB pages/);
  expect(JSON.parse(run('--json'))).toMatchObject({ instanceId, tasks: { shown: { applied: true } } });
  await ends(launch);
});

test('a task that outlives its timeout is ended by the host itself', async () => {
  const { environment } = withProfile('slow', { qos: 'burstable' });
  const launch = aTask([
    aContainer({
      environment: { ...environment, [LAUNCH_ENVIRONMENT.timeoutSeconds]: '1' },
      command: ['sh', '-c', 'trap exit TERM; sleep 300 & wait'],
    }),
  ]);
  hosts.runTask(instanceId, launch);
  await seen.status(launch, 'main', 'STOPPED', 40_000);
  expect(await noticed('slow', 'timeout')).toMatch(/after its 1 s/);
});
