import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { controllerDirectory, parseCgroupMounts } from '../../agent/cgroupMounts.ts';
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
let engine: DockerEngine;
let hosts: DockerHosts;
let seen: Recorder;

beforeAll(async () => {
  await new Promise<void>((listening) => table.listen(0, '127.0.0.1', listening));
  const endpoint = `http://127.0.0.1:${(table.address() as AddressInfo).port}`;
  engine = await ensureDocker(data.path, log);
  await ensureDemoImage(engine.docker);
  const agent = agentCommand({
    dataDir: data.path,
    dockerSocket: engine.socketPath,
    endpoint,
    region: 'us-east-1',
    accountId: '000000000000',
    table: 'berth',
  });
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
  const report = await reported(({ tasks }) => tasks['task-a'] !== undefined);
  expect(report).toMatchObject({ cluster: 'blue', instanceId });
  expect(report.tasks['task-a']).toEqual({
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
