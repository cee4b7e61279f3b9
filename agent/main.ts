import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from './agent.ts';
import { probeCapabilities } from './capabilities.ts';
import { KernelCgroupFs } from './cgroupFs.ts';
import { parseCgroupMounts } from './cgroupMounts.ts';
import { credentialSource } from './credentials.ts';
import { DockerApi } from './dockerApi.ts';
import { probeTopology } from './hostProbe.ts';
import { InstanceMetadata } from './imds.ts';
import { fileJournal } from './journal.ts';
import { lockHost } from './lock.ts';
import { Reconciler } from './reconciler.ts';
import { Reporter } from './reporter.ts';
import { readSettings } from './settings.ts';
import { TaskTable } from './taskTable.ts';

const log = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);

async function run(): Promise<void> {
  const mounts = parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  const settings = readSettings(process.env, mounts.version);
  const lock = await lockHost(settings.instanceId);
  mkdirSync(settings.stateDirectory, { recursive: true });
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const journal = fileJournal(join(settings.stateDirectory, 'journal'), bootId);
  const fs = new KernelCgroupFs();
  const topology = probeTopology(mounts, settings.cgroupParent);
  const metadata = new InstanceMetadata();
  const { table, instanceArn, region, endpoint } = settings;
  const reporter =
    table === undefined
      ? undefined
      : new Reporter({ table, instanceArn, region, endpoint }, credentialSource(process.env, metadata));
  const agent = new Agent({
    settings,
    mounts,
    fs,
    docker: new DockerApi(settings.dockerHost),
    table: new TaskTable({
      fs,
      mounts,
      topology,
      reconciler: new Reconciler(fs, mounts, journal),
      now: Date.now,
      log,
    }),
    journal,
    capabilities: probeCapabilities(fs, mounts, topology, settings.cgroupParent),
    ...(reporter === undefined ? {} : { send: (report) => reporter.send(report) }),
    ready: lock.ready,
    log,
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => agent.stop());
  log(
    `agent of ${settings.instanceId} in ${settings.cluster}, cgroup v${mounts.version}, tasks below ${settings.cgroupParent}`,
  );
  await agent.run();
  lock.release();
}

try {
  await run();
} catch (error) {
  log(`ended: ${(error as Error).message}`);
  process.exitCode = 1;
}
