import type { Lifecycle } from '../domain/model/host.ts';
import type { CapacityOrder, InstanceType, InsufficientCapacity, Pool } from '../domain/model/pool.ts';

export interface BoughtInstance {
  readonly hostId: string;
  readonly instanceType: string;
  readonly zone: string;
  readonly lifecycle: Lifecycle;
}

/**
 * - `bought`: possibly fewer than asked (or none); `shortages` say what EC2 had none of
 * - `failed`: EC2 refused the request itself; it will not come right by repeating
 * - `unknown`: nothing is known; repeat with the same order, EC2 answers with the same fleet
 */
export type PurchaseOutcome =
  | {
      readonly outcome: 'bought';
      readonly instances: readonly BoughtInstance[];
      readonly shortages: readonly Pick<
        InsufficientCapacity,
        'instanceType' | 'zone' | 'lifecycle' | 'code'
      >[];
      readonly errors: readonly string[];
    }
  | { readonly outcome: 'failed'; readonly code: string; readonly detail: string }
  | { readonly outcome: 'unknown'; readonly detail: string };

export interface ObservedMachine {
  readonly hostId: string;
  readonly state: 'pending' | 'running' | 'shutting-down' | 'stopping' | 'stopped' | 'terminated';
  readonly instanceType: string;
  readonly zone: string;
  readonly lifecycle: Lifecycle;
  readonly launchedAt: number;
  readonly pool?: string;
  readonly orderId?: string;
}

/** EC2, as the domain needs it. Reads are eventually consistent. */
export interface Machines {
  /** The types the pools allow, with prices (Spot ones when a pool uses Spot), cheapest data first read once per process. */
  instanceTypes(pools: readonly Pool[]): Promise<InstanceType[]>;
  /** CreateFleet `instant` with the order's id as client token and tags `berth:cluster`, `berth:pool`, `berth:order`. */
  buy(order: CapacityOrder, pool: Pool): Promise<PurchaseOutcome>;
  /** Idempotent; unknown ids count as terminated. */
  terminate(hostIds: readonly string[]): Promise<void>;
  /** All instances tagged with the cluster, terminated ones included while EC2 shows them. */
  list(cluster: string): Promise<ObservedMachine[]>;
}
