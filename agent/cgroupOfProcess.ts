import type { CgroupFs } from './cgroupFs.ts';
import type { CgroupMounts } from './cgroupMounts.ts';

/**
 * The group of a container that ECS put in none of its own: taken only when the group is named after the container, so
 * that nothing else is ever in it. Undefined when it is not, or the process has ended.
 */
export function cgroupOfProcess(
  fs: CgroupFs,
  mounts: CgroupMounts,
  pid: number,
  containerId: string,
): string | undefined {
  if (pid <= 0) return undefined;
  let content: string;
  try {
    content = fs.read(`/proc/${pid}/cgroup`);
  } catch {
    // The process has ended.
    return undefined;
  }
  const lines = content
    .trim()
    .split('\n')
    .map((line) => line.split(':'));
  const line = lines.find(([, controllers]) =>
    mounts.version === 2 ? controllers === '' : controllers?.split(',').includes('memory'),
  );
  const path = line?.[2];
  return path?.split('/').at(-1)?.includes(containerId) ? path : undefined;
}
