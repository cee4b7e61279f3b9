import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerInspection } from './dockerApi.ts';

/**
 * A container as Docker has written it down, or undefined when its files cannot be read. The engine's own answer waits
 * for the container's lock, which a start holds until the first process runs: too late for limits that are to stand
 * before it. The files are there before the creation is announced.
 */
export function readContainerFiles(dockerRoot: string, containerId: string): ContainerInspection | undefined {
  if (!/^[0-9a-f]{64}$/.test(containerId)) return undefined;
  const directory = join(dockerRoot, 'containers', containerId);
  try {
    const { ID, Created, Config, State } = JSON.parse(
      readFileSync(join(directory, 'config.v2.json'), 'utf8'),
    );
    const HostConfig = JSON.parse(readFileSync(join(directory, 'hostconfig.json'), 'utf8'));
    const inspection: ContainerInspection = { Id: ID, Created, Config, HostConfig, State };
    return complete(inspection) ? inspection : undefined;
  } catch {
    // Another layout of another engine, or a file in the middle of being replaced: the engine can still be asked.
    return undefined;
  }
}

const complete = ({ Id, Config, HostConfig, State }: ContainerInspection): boolean =>
  typeof Id === 'string' &&
  typeof Config?.Labels === 'object' &&
  typeof HostConfig?.CgroupParent === 'string' &&
  typeof HostConfig.CpuShares === 'number' &&
  typeof State?.Pid === 'number';
