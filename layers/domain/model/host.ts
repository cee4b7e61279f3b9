import type { Resources } from './resources.ts';

/**
 * - `BOOTING`: bought, not yet registered in ECS
 * - `READY`: takes claims
 * - `CORDONED`: keeps what it has, takes nothing new
 * - `DRAINING`: being emptied; interruptible tasks are moved
 * - `TERMINATING`: asked of EC2; gone when EC2 says so
 */
export type HostState = 'BOOTING' | 'READY' | 'CORDONED' | 'DRAINING' | 'TERMINATING';

export type Lifecycle = 'spot' | 'on-demand';

/** FNV-1a, 32 bits, in base 36: a source in a claim, of which a host's record holds many. */
export function sourceTag(source: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < source.length; index += 1) {
    hash = Math.imul(hash ^ source.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0).toString(36).slice(-4);
}

/** Capacity of a host reserved for one attempt. */
export interface Claim {
  readonly taskId: string;
  readonly attempt: number;
  readonly demand: Resources;
  readonly hostPorts: readonly string[];
  readonly claimedAt: number;
  /** Copied from the task, so that a pass needs no task record to know what it may move. */
  readonly group: string;
  readonly priority: number;
  readonly interruptible: boolean;
  /** `sourceTag` of who asked for the task: whose share of the cluster it is. */
  readonly source?: string;
  /** Its placement has constraints, spread rules or a gang, which a claim does not carry: it is not moved to save money. */
  readonly constrained?: boolean;
  /** Its attempt has been asked to stop: the room is as good as free, and stopping it again costs nothing. */
  readonly stopping?: boolean;
  /** The more urgent task that this claim's room goes to when it is given back. */
  readonly heir?: string;
  /** This is no attempt's claim but room kept for a task until its victims have stopped: what it needs in the end. */
  readonly hold?: { readonly need: Resources; readonly ports: readonly string[] };
}

/** The part of a host that is announced when it is given back. */
export type LeavingHost = Pick<
  Host,
  | 'hostId'
  | 'cluster'
  | 'pool'
  | 'instanceType'
  | 'zone'
  | 'lifecycle'
  | 'stateReason'
  | 'usdPerHour'
  | 'launchedAt'
>;

/** A host that is gone, when EC2 ended it or was found to have done so. */
export type EndedHost = LeavingHost & { readonly endedAt: number };

export interface Host {
  /** EC2 instance id. */
  readonly hostId: string;
  readonly cluster: string;
  readonly pool: string;
  readonly instanceType: string;
  readonly zone: string;
  readonly lifecycle: Lifecycle;
  readonly architecture: 'x86_64' | 'arm64';
  readonly usdPerHour: number;
  readonly state: HostState;
  /** Why it is in this state. */
  readonly stateReason: string;
  /**
   * Since when, where that decides what becomes of it: how long it has been out of service. Of a host that is TERMINATING:
   * since when it costs nothing any more, absent until EC2 has said so.
   */
  readonly stateSince?: number;
  /** Grows when the host is declared lost: a claim of an older epoch is void. */
  readonly epoch: number;
  readonly containerInstanceArn?: string;
  /** What ECS registered (BOOTING: what its type promises), after all reservations. */
  readonly capacity: Resources;
  /** capacity minus claims; the condition of every claim. */
  readonly left: Resources;
  readonly ports: readonly string[];
  readonly claims: Readonly<Record<string, Claim>>;
  readonly attributes: Readonly<Record<string, string>>;
  readonly orderId?: string;
  /** The hosts it was bought to replace: until they are empty it waits for their tasks. */
  readonly replaces?: readonly string[];
  readonly launchedAt: number;
  readonly registeredAt?: number;
  /** Since when it holds no claim; absent while it holds one. */
  readonly idleSince?: number;
  readonly ecsVersion?: number;
  /** Last time the agent reported, from the host's own partition; of hosts that were listed. */
  readonly agentSeenAt?: number;
  /** 0..1, share of the last window in which tasks stalled, from the agent. */
  readonly pressure?: { readonly cpu: number; readonly memory: number; readonly io: number };
  /** What it cannot enforce for a task, by name of capability, from the agent. */
  readonly cannot?: readonly string[];
  /** What its tasks used over the last five minutes, CPUs, from the agent; each at its 95th percentile. */
  readonly usage?: { readonly cpuP95: number };
  /** Planning sees it in what tasks ask: what is set aside for them is that divided by this (`withOvercommit`). */
  readonly cpuOvercommit?: number;
  /** Attempts that could not be started there lately; absent while there are none. */
  readonly launchFailures?: LaunchFailures;
}

/** A count that decays (`failureScore`), and when it was last added to. */
export interface LaunchFailures {
  readonly score: number;
  readonly at: number;
}
