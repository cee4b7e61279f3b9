import type { CpuPartition, IsolationProfile, QosClass } from './profile.ts';
import type { HostTopology } from './topology.ts';

/** What the task asked for, from its containers as ECS created them. */
export interface TaskRequest {
  /** Sum over containers, in ECS CPU units (1024 = one CPU). */
  readonly cpuUnits: number;
  /** Sum of hard limits; absent when a container has none. */
  readonly memoryBytes?: number;
}

/** Limits as ECS left them on the task's cgroup: never loosened. Absent: unlimited. */
export interface EcsLimits {
  /** Quota per period over the period. */
  readonly cpus?: number;
  readonly periodUs: number;
  readonly memoryBytes?: number;
  readonly pids?: number;
  /** The tightest quota of the group's ancestors, in CPUs: the v1 kernel refuses a child above it. */
  readonly ancestorCpus?: number;
}

/** Values for one task's cgroup, in the kernel's units but in neither version's spelling. Absent: leave alone. */
export interface DesiredLimits {
  readonly cpu: {
    /** 1..10000, 100 = one vCPU's worth. */
    readonly weight: number;
    /** Only run when nothing else wants the CPU. The weight is then without effect. */
    readonly idle: boolean;
    readonly quotaUs?: number;
    readonly periodUs: number;
    /** At most the quota: the kernel refuses more. */
    readonly burstUs: number;
  };
  readonly memory: {
    readonly minBytes: number;
    readonly lowBytes: number;
    readonly highBytes?: number;
    readonly maxBytes?: number;
    readonly swapMaxBytes?: number;
    readonly oomGroup: boolean;
  };
  readonly pidsMax?: number;
  readonly io: {
    /** 1..10000 */
    readonly weight: number;
    readonly readBytesPerSecond?: number;
    readonly writeBytesPerSecond?: number;
    readonly readIops?: number;
    readonly writeIops?: number;
    readonly path?: string;
  };
  readonly egressMbps?: number;
  readonly hugetlb: Readonly<Record<string, number>>;
  /** Whole CPUs for the task alone; 0: the shared pool. */
  readonly pinnedCpus: number;
  /** What its CPUs are to be, as far as the kernel grants it; absent: shared by whoever is not kept off them. */
  readonly partition?: CpuPartition;
  /** What was asked and cannot be had on this host, in words for the task's owner. */
  readonly refused: readonly Refusal[];
}

export interface Refusal {
  readonly knob: string;
  readonly reason: string;
}

const MIB = 1024 * 1024;
const UNITS_PER_CPU = 1024;
const WEIGHT_PER_CPU = 100;
const MIN_WEIGHT = 1;
const MAX_WEIGHT = 10_000;
/** The scheduler's own floor for a quota. */
const MIN_QUOTA_US = 1_000;
/** Enough for any service seen in practice, and far below where a fork bomb hurts its neighbours. */
const PIDS_BASE = 4_096;
const PIDS_PER_CPU = 1_024;
/** A best-effort task is reclaimed from before it reaches its limit. */
const BEST_EFFORT_HIGH_SHARE = 0.9;
const IO_WEIGHT: Readonly<Record<QosClass, number>> = { guaranteed: 400, burstable: 100, 'best-effort': 10 };

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);
const least = (...values: (number | undefined)[]): number | undefined => {
  const given = values.filter((value) => value !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
};
/** Drops absent members, which `exactOptionalPropertyTypes` keeps apart from undefined ones. */
const present = <T extends object>(value: { readonly [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;

/**
 * What one task's cgroup should hold. Pure: the same inputs give the same values. A limit is only ever at or below what
 * ECS set, the shares are free.
 */
export function desiredLimits(
  profile: IsolationProfile,
  request: TaskRequest,
  ecs: EcsLimits,
  host: HostTopology,
): DesiredLimits {
  const refused: Refusal[] = [];
  const pinnedCpus = desiredPinning(profile, request, host, refused);
  return {
    cpu: desiredCpu(profile, request, ecs),
    memory: desiredMemory(profile, request, ecs, host, refused),
    ...present<{ pidsMax?: number }>({ pidsMax: desiredPids(profile, request, ecs) }),
    io: { weight: IO_WEIGHT[profile.qos], ...profile.io },
    ...present<{ egressMbps?: number }>({ egressMbps: profile.network?.egressMbps }),
    hugetlb: desiredHugetlb(profile, host, refused),
    pinnedCpus,
    ...present<{ partition?: CpuPartition }>({ partition: desiredPartition(profile, pinnedCpus, refused) }),
    refused,
  };
}

function desiredCpu(profile: IsolationProfile, request: TaskRequest, ecs: EcsLimits): DesiredLimits['cpu'] {
  const idle = profile.qos === 'best-effort' && profile.cpu?.weight === undefined;
  const proportional = Math.round((request.cpuUnits / UNITS_PER_CPU) * WEIGHT_PER_CPU);
  const weight = clamp(profile.cpu?.weight ?? proportional, MIN_WEIGHT, MAX_WEIGHT);
  const asked = profile.cpu?.limitUnits === undefined ? undefined : profile.cpu.limitUnits / UNITS_PER_CPU;
  const cpus = least(ecs.cpus, asked, asked === undefined ? undefined : ecs.ancestorCpus);
  const quotaUs = cpus === undefined ? undefined : Math.max(MIN_QUOTA_US, Math.floor(cpus * ecs.periodUs));
  const wantedBurst = profile.cpu?.burstUs ?? (profile.qos === 'burstable' ? quotaUs : 0) ?? 0;
  const burstUs = quotaUs === undefined ? 0 : Math.min(wantedBurst, quotaUs);
  return { weight, idle, ...present<{ quotaUs?: number }>({ quotaUs }), periodUs: ecs.periodUs, burstUs };
}

function desiredMemory(
  profile: IsolationProfile,
  request: TaskRequest,
  ecs: EcsLimits,
  host: HostTopology,
  refused: Refusal[],
): DesiredLimits['memory'] {
  const bytes = (mib: number | undefined): number | undefined => (mib === undefined ? undefined : mib * MIB);
  const pages = (value: number): number => Math.floor(value / host.pageBytes) * host.pageBytes;
  const memory = profile.memory ?? {};
  const max = least(ecs.memoryBytes, bytes(memory.maxMiB), request.memoryBytes);
  const ceiling = max ?? host.memoryBytes;
  const bestEffort = profile.qos === 'best-effort';
  let high =
    bytes(memory.highMiB) ?? (bestEffort && max !== undefined ? max * BEST_EFFORT_HIGH_SHARE : undefined);
  if (high !== undefined && !bestEffort && host.swapBytes === 0) {
    refused.push({
      knob: 'memory.highMiB',
      reason: 'the host has no swap: above high the task would only stall',
    });
    high = undefined;
  }
  const claim = request.memoryBytes ?? 0;
  const min = bytes(memory.minMiB) ?? (profile.qos === 'guaranteed' ? claim : 0);
  const low = bytes(memory.lowMiB) ?? (profile.qos === 'burstable' ? claim : 0);
  return {
    minBytes: pages(Math.min(min, ceiling)),
    lowBytes: pages(clamp(low, min, ceiling)),
    ...present<{ highBytes?: number; maxBytes?: number; swapMaxBytes?: number }>({
      highBytes: high === undefined ? undefined : pages(Math.min(high, ceiling)),
      maxBytes: max === undefined ? undefined : pages(max),
      swapMaxBytes:
        host.swapBytes === 0 ? undefined : bytes(memory.swapMaxMiB ?? (bestEffort ? undefined : 0)),
    }),
    oomGroup: memory.oomGroup ?? false,
  };
}

function desiredPids(profile: IsolationProfile, request: TaskRequest, ecs: EcsLimits): number {
  const byRequest = PIDS_BASE + Math.ceil(request.cpuUnits / UNITS_PER_CPU) * PIDS_PER_CPU;
  return Math.min(profile.pids?.max ?? byRequest, ecs.pids ?? Infinity);
}

function desiredHugetlb(
  profile: IsolationProfile,
  host: HostTopology,
  refused: Refusal[],
): Readonly<Record<string, number>> {
  const entries = Object.entries(profile.hugetlb ?? {});
  for (const [size] of entries.filter(([size]) => !host.hugePageSizes.includes(size))) {
    refused.push({ knob: `hugetlb.${size}`, reason: `the host has no ${size} pages` });
  }
  return Object.fromEntries(entries.filter(([size]) => host.hugePageSizes.includes(size)));
}

/** Guaranteed tasks of whole CPUs are pinned unless they say no; one CPU at least stays for everybody else. */
function desiredPinning(
  profile: IsolationProfile,
  request: TaskRequest,
  host: HostTopology,
  refused: Refusal[],
): number {
  const whole = request.cpuUnits >= UNITS_PER_CPU && request.cpuUnits % UNITS_PER_CPU === 0;
  const asked = profile.cpu?.pinned ?? (profile.cpu?.partition === undefined ? undefined : true);
  if (asked === false || (asked === undefined && (profile.qos !== 'guaranteed' || !whole))) return 0;
  if (!whole) {
    refused.push({ knob: 'cpu.pinned', reason: `needs whole CPUs (multiples of ${UNITS_PER_CPU} units)` });
    return 0;
  }
  const wanted = request.cpuUnits / UNITS_PER_CPU;
  if (wanted < host.cpus.length) return wanted;
  // A default that does not fit is no refusal: nobody asked.
  if (asked === true) {
    refused.push({ knob: 'cpu.pinned', reason: `${wanted} of ${host.cpus.length} CPUs leave none to share` });
  }
  return 0;
}

/** CPUs that nobody else may use, not even the host itself, are for those alone who are promised theirs. */
function desiredPartition(
  profile: IsolationProfile,
  pinnedCpus: number,
  refused: Refusal[],
): CpuPartition | undefined {
  const partition = profile.cpu?.partition;
  // Without CPUs of its own, the pinning has been refused already.
  if (partition === undefined || pinnedCpus === 0) return undefined;
  if (profile.qos === 'guaranteed') return partition;
  refused.push({
    knob: 'cpu.partition',
    reason: 'only a guaranteed task gets CPUs that nothing else may use',
  });
  return undefined;
}
