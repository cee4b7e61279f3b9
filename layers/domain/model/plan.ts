import type { CapacityOrder } from './pool.ts';
import type { WaitExplanation } from './reason.ts';

/** One host's share of a plan: claimed in one transaction. */
export interface HostPlacement {
  readonly hostId: string;
  /** Epoch of the host the decision was made on. */
  readonly epoch: number;
  readonly tasks: readonly { readonly taskId: string; readonly attempt: number }[];
}

export interface Wait {
  readonly taskId: string;
  readonly attempt: number;
  readonly explanation: WaitExplanation;
}

/** Stop these attempts so that the preemptor fits on the host. */
export interface Preemption {
  readonly taskId: string;
  readonly attempt: number;
  readonly hostId: string;
  readonly epoch: number;
  readonly victims: readonly { readonly taskId: string; readonly attempt: number }[];
}

export interface PlacementPlan {
  readonly placements: readonly HostPlacement[];
  readonly waits: readonly Wait[];
  readonly preemptions: readonly Preemption[];
  /** Pending tasks that no host holds, not even one that is booting: what `provision` has to buy for. */
  readonly unmet: readonly string[];
  /** Epoch ms of the next moment at which this pass could decide otherwise without an event (a back-off's end). */
  readonly wakeAt?: number;
}

export type NewOrder = Pick<CapacityOrder, 'pool' | 'lifecycle' | 'hosts' | 'offers' | 'reason' | 'replaces'>;

export interface CapacityPlan {
  readonly orders: readonly NewOrder[];
  /** Tasks no pool can ever hold or that its limits hold back, with the sentence that says so. */
  readonly stuck: readonly { readonly taskId: string; readonly detail: string }[];
}

export interface ScaleInPlan {
  /** Empty hosts to cordon and give back, with the reason. */
  readonly retire: readonly { readonly hostId: string; readonly epoch: number; readonly reason: string }[];
  readonly wakeAt?: number;
}

/** A host to empty because its tasks fit elsewhere for less. */
export interface Drain {
  readonly hostId: string;
  readonly pool: string;
  readonly epoch: number;
  readonly reason: string;
}
