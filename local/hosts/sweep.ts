import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type Docker from 'dockerode';
import { type CgroupMounts, parseCgroupMounts } from '../../agent/cgroupMounts.ts';
import { endAgent } from './agentProcess.ts';
import { instanceCgroup, removeEmptyRoot, removeSlice } from './cgroupSlice.ts';
import { engineError } from './containerState.ts';
import { type DockerEngine, ensureDocker } from './docker.ts';
import { dockerdPaths } from './dockerd.ts';
import { HostFiles } from './hostFiles.ts';
import { LABELS } from './labels.ts';
import { Semaphore } from './semaphore.ts';

const REMOVALS_AT_ONCE = 4;

/** Removes containers by id, running or not; one that is gone already is success. */
export async function removeOwned(docker: Docker, ids: readonly string[]): Promise<void> {
  const permits = new Semaphore(REMOVALS_AT_ONCE);
  await Promise.all(
    ids.map((id) =>
      permits.with(async () => {
        try {
          await docker.getContainer(id).remove({ force: true, v: true });
        } catch (error) {
          const { statusCode } = engineError(error);
          // 409: its removal is under way.
          if (statusCode !== 404 && statusCode !== 409) throw error;
        }
      }),
    ),
  );
}

/** Ends an instance's agent and whatever runs in its slice, and removes both. */
export async function sweepInstance(
  mounts: CgroupMounts,
  files: HostFiles,
  instanceId: string,
): Promise<void> {
  await endAgent(files.instanceDirectory(instanceId), instanceId);
  await removeSlice(mounts, instanceCgroup(instanceId));
  files.removeInstance(instanceId);
}

/**
 * Removes everything that hosts of this data directory left behind: containers, agents, cgroups, our own Docker
 * Engine and its bridge. For a clean stop after a crash, and for tests. Safe to repeat.
 */
export async function sweep(
  dataDir: string,
  log: (line: string) => void,
  running?: DockerEngine,
): Promise<void> {
  const files = new HostFiles(dataDir);
  const mounts = parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  const engine = running ?? (hasContainers(dataDir) ? await ensureDocker(dataDir, log) : undefined);
  if (engine !== undefined) {
    const label = [`${LABELS.owner}=${engine.owner}`];
    const left = await engine.docker.listContainers({ all: true, filters: { label } });
    await removeOwned(
      engine.docker,
      left.map(({ Id }) => Id),
    );
  }
  for (const instanceId of files.instances()) await sweepInstance(mounts, files, instanceId);
  await engine?.stop();
  removeEmptyRoot(mounts);
}

/** Whether our own engine, running or not, may still have containers. */
function hasContainers(dataDir: string): boolean {
  const directory = `${dockerdPaths(dataDir).dataRoot}/containers`;
  return (
    existsSync('/var/run/docker.sock') ||
    (existsSync(directory) && readdirSync(directory).length > 0) ||
    existsSync(dockerdPaths(dataDir).pidFile)
  );
}
