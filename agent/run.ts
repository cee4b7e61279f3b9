import { mkdirSync, readFileSync, writeFile } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Agent } from './agent.ts';
import { wholeDisk } from './blockDevice.ts';
import { probeCapabilities } from './capabilities.ts';
import { KernelCgroupFs } from './cgroupFs.ts';
import { type CgroupMounts, controllerDirectory } from './cgroupMounts.ts';
import { readContainerFiles } from './containerFiles.ts';
import { CpusetPartitions } from './cpusetPartition.ts';
import { credentialSource } from './credentials.ts';
import { DockerApi } from './dockerApi.ts';
import { canShape, limitEgress } from './egress.ts';
import { probeTopology } from './hostProbe.ts';
import { InstanceMetadata } from './imds.ts';
import { interruptionAt } from './interruption.ts';
import { fileJournal } from './journal.ts';
import { lockHost } from './lock.ts';
import { Reconciler } from './reconciler.ts';
import { Reporter } from './reporter.ts';
import type { Settings } from './settings.ts';
import { ioWeightCapability } from './sharedDisks.ts';
import { serveStatus } from './statusServer.ts';
import { SystemdUnits, systemdRuns } from './systemdUnits.ts';
import { TaskTable } from './taskTable.ts';
import { returnUnusedMemory } from './unusedMemory.ts';
import { UsageMetrics } from './usageMetrics.ts';
import { notifySystemd } from './watchdog.ts';

const DIRECTORY_MODE = 0o700;
/** A nice value. */
const PRIORITY = -15;

/** `node:fs/promises` would bring a megabyte of what nothing here needs. */
const write = promisify(writeFile);

const log = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);

/** A new task's limits must not wait for the neighbours they are to hold back. Refused without the right: then as it is. */
function raisePriority(): void {
  try {
    setPriority(PRIORITY);
  } catch (error) {
    log(`running at ordinary priority: ${(error as Error).message}`);
  }
}

/** Puts the agent together from this host's parts and runs it until SIGTERM or SIGINT. */
export async function runAgent(settings: Settings, mounts: CgroupMounts): Promise<void> {
  const lock = await lockHost(settings.instanceId);
  raisePriority();
  mkdirSync(settings.stateDirectory, { recursive: true, mode: DIRECTORY_MODE });
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const journal = fileJournal(join(settings.stateDirectory, 'journal'), bootId);
  const fs = new KernelCgroupFs();
  const partitions = new CpusetPartitions(fs, mounts, settings.cgroupParent);
  const topology = probeTopology(mounts, settings.cgroupParent, partitions.taken());
  const docker = new DockerApi(settings.dockerHost);
  const dockerRoot = await docker.rootDirectory().catch(() => undefined);
  const metadata =
    settings.metadataEndpoint === undefined ? undefined : new InstanceMetadata(settings.metadataEndpoint);
  const { table, instanceArn, region, endpoint } = settings;
  const credentials = credentialSource(process.env, metadata);
  const reporter =
    table === undefined ? undefined : new Reporter({ table, instanceArn, region, endpoint }, credentials);
  const metrics =
    settings.metrics === undefined
      ? undefined
      : new UsageMetrics({ ...settings.metrics, region }, credentials);
  const deviceOf = (path: string | undefined): string | undefined =>
    path === undefined && dockerRoot === undefined ? undefined : wholeDisk(path ?? dockerRoot ?? '');
  const shapes = canShape();
  const units = systemdRuns() && mounts.version === 2 ? new SystemdUnits(log) : undefined;
  const agent = new Agent({
    settings,
    mounts,
    fs,
    docker,
    table: new TaskTable({
      fs,
      mounts,
      topology,
      reconciler: new Reconciler(fs, mounts, journal),
      partitions,
      deviceOf,
      ...(units === undefined ? {} : { persist: (cgroup, properties) => units.set(cgroup, properties) }),
      defer: setImmediate,
      now: Date.now,
      log,
    }),
    journal,
    capabilities: () => {
      const found = probeCapabilities(fs, mounts, topology, settings.cgroupParent, partitions);
      return {
        ...found,
        ...(found.ioWeight === 'yes'
          ? { ioWeight: ioWeightCapability(fs, mounts, deviceOf(undefined)) }
          : {}),
        egress: shapes ? 'partial: per container, from just after its start' : 'no: nsenter or tc is missing',
      };
    },
    receivers: [reporter, metrics].flatMap((receiver) => receiver ?? []),
    ...(metadata === undefined ? {} : { interruption: () => interruptionAt(metadata) }),
    writtenDown: (id) => (dockerRoot === undefined ? undefined : readContainerFiles(dockerRoot, id)),
    limitEgress: (pid, rate) =>
      shapes
        ? limitEgress(pid, rate)
        : Promise.reject(new Error('an egress limit needs nsenter and tc on the host')),
    reclaim: (cgroup, bytes) =>
      write(`${controllerDirectory(mounts, 'memory', cgroup)}/memory.reclaim`, String(bytes)),
    ready: () => {
      lock.ready();
      notifySystemd('READY=1');
    },
    alive: () => notifySystemd('WATCHDOG=1'),
    idle: returnUnusedMemory,
    log,
  });
  const status = await serveStatus(settings.stateDirectory, () => agent.report(Date.now()));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => agent.stop());
  const where = `cgroup v${mounts.version}, tasks below ${settings.cgroupParent}`;
  log(`agent of ${settings.instanceId} in ${settings.cluster}, ${where}`);
  await agent.run();
  status.close();
  lock.release();
}
