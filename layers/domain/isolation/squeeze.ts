import type { DesiredLimits } from './desired.ts';

/** What is taken from a best-effort task for a while, on top of its limits. Gone with the agent that took it. */
export interface Squeeze {
  /** CPUs it may still use. */
  readonly cpus?: number;
  readonly idle?: boolean;
  readonly highBytes?: number;
  readonly frozen?: {
    /** Epoch ms at which it thaws. */
    readonly until: number;
    readonly resource: 'cpu' | 'memory' | 'io';
  };
}

/** The scheduler's own floor for a quota. */
const MIN_QUOTA_US = 1_000;

/** The task's values with the squeeze on top: only ever tighter. */
export function squeezed(desired: DesiredLimits, squeeze: Squeeze | undefined): DesiredLimits {
  if (squeeze === undefined) return desired;
  const { cpu, memory } = desired;
  const quotaUs =
    squeeze.cpus === undefined
      ? cpu.quotaUs
      : Math.max(MIN_QUOTA_US, Math.min(cpu.quotaUs ?? Infinity, Math.floor(squeeze.cpus * cpu.periodUs)));
  const highBytes =
    squeeze.highBytes === undefined
      ? memory.highBytes
      : Math.min(memory.highBytes ?? Infinity, squeeze.highBytes);
  return {
    ...desired,
    cpu: {
      ...cpu,
      idle: cpu.idle || squeeze.idle === true,
      ...(quotaUs === undefined ? {} : { quotaUs }),
      burstUs:
        quotaUs === undefined ? cpu.burstUs : Math.min(cpu.burstUs, squeeze.cpus === undefined ? quotaUs : 0),
    },
    memory: { ...memory, ...(highBytes === undefined ? {} : { highBytes }) },
  };
}
