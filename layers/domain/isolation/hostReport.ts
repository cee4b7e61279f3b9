import type { Capabilities } from './capability.ts';
import type { Refusal } from './desired.ts';
import type { Usage } from './usageWindow.ts';

/** What the agent tells of one task, by Berth's task id (ECS's for tasks that others launched). */
export interface TaskReport {
  readonly attempt?: number;
  /** Of the task definition. */
  readonly family?: string;
  /** Every value stands as planned. */
  readonly applied: boolean;
  /** The values stood before the task's first process ran. */
  readonly inTime: boolean;
  /** How long the first process ran without them; absent when in time. */
  readonly lateMs?: number;
  readonly refused: readonly Refusal[];
  /** Knobs that are not as wanted, as `file: why`. */
  readonly failures: readonly string[];
  /** Over the last five minutes; absent before the first look. */
  readonly usage?: Usage;
  /** Kills by the out-of-memory killer so far. */
  readonly oomKills: number;
  /** Forks refused by the task's own limit so far. */
  readonly pidsHits: number;
  /** How long the task has been held back by its quota so far. */
  readonly throttledMs: number;
}

/** Something that happened to a task, with the numbers behind it. */
export interface Notice {
  /** Epoch ms. */
  readonly at: number;
  readonly taskId: string;
  readonly kind: 'oom-kill' | 'pids-limit' | 'throttled' | 'io-stall' | 'pressure' | 'evict' | 'timeout';
  readonly detail: string;
}

/** The agent's report: the item `<instance ARN>` / `REPORT`. */
export interface HostReport {
  readonly instanceId: string;
  readonly cluster: string;
  /** Epoch ms. */
  readonly seenAt: number;
  readonly agentVersion: string;
  readonly capabilities: Capabilities;
  /** Names of the capabilities it has not: all that placement reads of them. */
  readonly cannot: readonly string[];
  readonly tasks: Readonly<Record<string, TaskReport>>;
  /** 0..1, share of the last ten seconds in which tasks stalled. */
  readonly pressure: { readonly cpu: number; readonly memory: number; readonly io: number };
  /** What all tasks together used, each at its 95th percentile, CPUs; absent before the first look. */
  readonly usage?: { readonly cpuP95: number };
  /** The latest, oldest first. */
  readonly notices: readonly Notice[];
  /** EC2 takes the host back at this time (epoch ms). */
  readonly interruptionAt?: number;
}
