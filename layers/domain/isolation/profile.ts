/**
 * Quality-of-service class of a task: `guaranteed` is pinned and protected, `burstable` gets a weight and may burst,
 * `best-effort` is squeezed first.
 */
export type QosClass = 'guaranteed' | 'burstable' | 'best-effort';

/** cgroup v2's kinds of `cpuset.cpus.partition`. */
export type CpuPartition = 'root' | 'isolated';

/**
 * What the host's agent enforces for one task as a whole, on the task's cgroup. Every knob is optional: an absent one
 * follows from the class and the task's cpu and memory. Limits only ever tighten what ECS has set.
 */
export interface IsolationProfile {
  readonly qos: QosClass;
  /** Rather wait than run where the kernel lacks a knob that is named here. */
  readonly strict?: boolean;
  readonly cpu?: {
    /** cgroup v2 scale, 1..10000, default proportional to the request (100 = one vCPU's worth). */
    readonly weight?: number;
    /** Hard quota in ECS CPU units (1024 = one CPU's time). */
    readonly limitUnits?: number;
    /** Extra run time that may be saved up and spent above the quota, in microseconds per period. */
    readonly burstUs?: number;
    /** Whole cores for this task alone. */
    readonly pinned?: boolean;
    /**
     * Makes the pinned CPUs a partition: nothing else on the host runs there, be it no task (`root`), and the scheduler
     * does not balance them either (`isolated`): each thread stays where the task puts it.
     */
    readonly partition?: CpuPartition;
  };
  readonly memory?: {
    readonly maxMiB?: number;
    readonly highMiB?: number;
    readonly lowMiB?: number;
    readonly minMiB?: number;
    readonly swapMaxMiB?: number;
    /** Kill the whole task when one of its processes runs out of memory. */
    readonly oomGroup?: boolean;
  };
  readonly io?: {
    /** 1..10000 */
    readonly weight?: number;
    readonly readBytesPerSecond?: number;
    readonly writeBytesPerSecond?: number;
    readonly readIops?: number;
    readonly writeIops?: number;
    /** A path on the device that is limited; default the container root. */
    readonly path?: string;
  };
  readonly pids?: { readonly max: number };
  readonly network?: { readonly egressMbps: number };
  /** Bytes by page size, e.g. `{"2MB": 4194304}`. */
  readonly hugetlb?: Readonly<Record<string, number>>;
}

/** Environment variables that carry a task's identity and profile from the launch override to the host's agent. */
export const LAUNCH_ENVIRONMENT = {
  taskId: 'BERTH_TASK_ID',
  attempt: 'BERTH_ATTEMPT',
  isolation: 'BERTH_ISOLATION',
  timeoutSeconds: 'BERTH_TIMEOUT_SECONDS',
  arrayIndex: 'BERTH_ARRAY_INDEX',
} as const;
