import type { Refusal } from './desired.ts';

/** What the agent tells of one task, by Berth's task id (ECS's for tasks that others launched). */
export interface TaskReport {
  readonly attempt?: number;
  /** Every value stands as planned. */
  readonly applied: boolean;
  /** The values stood before the task's first process ran. */
  readonly inTime: boolean;
  /** How long the first process ran without them; absent when in time. */
  readonly lateMs?: number;
  readonly refused: readonly Refusal[];
  /** Knobs that are not as wanted, as `file: why`. */
  readonly failures: readonly string[];
}

/** The agent's report: the item `<instance ARN>` / `REPORT`. */
export interface HostReport {
  readonly instanceId: string;
  readonly cluster: string;
  /** Epoch ms. */
  readonly seenAt: number;
  readonly agentVersion: string;
  /** By capability: `yes`, `no`, or `partial: <what is missing>`. */
  readonly capabilities: Readonly<Record<string, string>>;
  readonly tasks: Readonly<Record<string, TaskReport>>;
  /** 0..1, share of the last ten seconds in which tasks stalled. */
  readonly pressure: { readonly cpu: number; readonly memory: number; readonly io: number };
}
