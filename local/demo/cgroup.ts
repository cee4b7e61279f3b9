import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = '/sys/fs/cgroup';

/** What a person wants to see of a task's limits, by file, on v1 or v2. */
const files: readonly (readonly [controller: string, file: string])[] = [
  ['cpu', 'cpu.cfs_quota_us'],
  ['cpu', 'cpu.shares'],
  ['memory', 'memory.limit_in_bytes'],
  ['pids', 'pids.max'],
  ['', 'cpu.max'],
  ['', 'cpu.weight'],
  ['', 'memory.max'],
];

/** The limits that the kernel holds for a task, read back from its cgroup; empty when the task is gone. */
export function taskLimits(hostId: string, ecsTaskArn: string): Record<string, string> {
  const ecsTaskId = ecsTaskArn.split('/').at(-1) ?? '';
  const limits: Record<string, string> = {};
  for (const [controller, file] of files) {
    const path = join(root, controller, 'berth', hostId, 'ecs', ecsTaskId, file);
    if (existsSync(path)) limits[file] = readFileSync(path, 'utf8').trim();
  }
  return limits;
}
