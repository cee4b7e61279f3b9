import type { EcsLimits } from '../layers/domain/isolation/desired.ts';
import type { CgroupFs } from './cgroupFs.ts';
import { type CgroupMounts, controllerDirectory } from './cgroupMounts.ts';
import type { Reconciler } from './reconciler.ts';

const DEFAULT_PERIOD_US = 100_000;
/** Above it a v1 memory limit stands for none. */
const V1_NO_LIMIT_BYTES = 2 ** 62;

/** Reads what ECS set on a task's cgroup, seeing through our own writes. */
export function readEcsLimits(
  reconciler: Reconciler,
  fs: CgroupFs,
  mounts: CgroupMounts,
  cgroup: string,
): EcsLimits {
  const value = (controller: string, file: string): string | undefined =>
    reconciler.ecsValue(cgroup, controller, file);
  const [quota, periodUs] =
    mounts.version === 2
      ? quotaV2(value('cpu', 'cpu.max'))
      : quotaV1(value('cpu', 'cpu.cfs_quota_us'), value('cpu', 'cpu.cfs_period_us'));
  const memory = Number(value('memory', mounts.version === 2 ? 'memory.max' : 'memory.limit_in_bytes'));
  const pids = Number(value('pids', 'pids.max'));
  const ancestorCpus = ancestorQuota(fs, mounts, cgroup);
  return {
    periodUs,
    ...(quota === undefined ? {} : { cpus: quota }),
    // "max" is no number, and v1 spells it as a very large one.
    ...(memory > 0 && memory < V1_NO_LIMIT_BYTES ? { memoryBytes: memory } : {}),
    ...(Number.isFinite(pids) ? { pids } : {}),
    ...(ancestorCpus === undefined ? {} : { ancestorCpus }),
  };
}

function quotaV2(content: string | undefined): [number | undefined, number] {
  const [quota, period] = (content ?? `max ${DEFAULT_PERIOD_US}`).split(' ').map(Number);
  const periodUs = period === undefined || !(period > 0) ? DEFAULT_PERIOD_US : period;
  return [quota !== undefined && Number.isFinite(quota) ? quota / periodUs : undefined, periodUs];
}

function quotaV1(quota: string | undefined, period: string | undefined): [number | undefined, number] {
  const periodUs = Number(period) > 0 ? Number(period) : DEFAULT_PERIOD_US;
  return [Number(quota) > 0 ? Number(quota) / periodUs : undefined, periodUs];
}

function ancestorQuota(fs: CgroupFs, mounts: CgroupMounts, cgroup: string): number | undefined {
  let tightest: number | undefined;
  const parts = cgroup.split('/').slice(1, -1);
  for (let depth = parts.length; depth > 0; depth -= 1) {
    const directory = controllerDirectory(mounts, 'cpu', `/${parts.slice(0, depth).join('/')}`);
    const read = (file: string): string | undefined => {
      try {
        return fs.read(`${directory}/${file}`);
      } catch {
        // A level without the cpu controller limits nothing.
        return undefined;
      }
    };
    const [cpus] =
      mounts.version === 2
        ? quotaV2(read('cpu.max'))
        : quotaV1(read('cpu.cfs_quota_us'), read('cpu.cfs_period_us'));
    if (cpus !== undefined) tightest = Math.min(tightest ?? Infinity, cpus);
  }
  return tightest;
}
