import type { DisruptionBudget, TimeWindow } from './disruption.ts';
import type { Lifecycle } from './host.ts';
import type { Resources } from './resources.ts';

/** One EC2 instance type as capacity planning sees it. */
export interface InstanceType {
  readonly name: string;
  readonly architecture: 'x86_64' | 'arm64';
  /** What a host of this type offers to tasks once ECS, the agent and the system have taken theirs. */
  readonly capacity: Resources;
  readonly usdPerHour: number;
  readonly spotUsdPerHour?: number;
  /** Expected interruptions of Spot per hour, 0..1. */
  readonly spotInterruptionRate?: number;
  readonly maxTaskEnis?: number;
}

export interface Pool {
  readonly name: string;
  readonly cluster: string;
  /** Allowed instance types, exact or with `*`: `c6i.*`. */
  readonly instanceTypes: readonly string[];
  /** The processor that the launch template's image is for; types of another are not bought. Absent: either. */
  readonly architecture?: InstanceType['architecture'];
  readonly lifecycles: readonly Lifecycle[];
  readonly zones: readonly string[];
  readonly minHosts: number;
  readonly maxHosts: number;
  /** Hosts wanted even without demand; set by alarms within min and max. */
  readonly desiredHosts: number;
  /** Room kept free beyond demand. */
  readonly headroom: Resources;
  /** Largest host bought, bounding what one failure takes; vCPU. */
  readonly maxHostVcpus: number;
  /** Hosts over which the pool's tasks are spread at least, however few: bounds the share that one failure takes. */
  readonly leastHosts?: number;
  readonly launchTemplate: string;
  readonly subnets: Readonly<Record<string, string>>;
  /**
   * How long an empty host is kept at most, and as long until gaps were observed: what keeping it so long costs is what
   * giving it back and booting another is worth (`breakEvenWaitMs`).
   */
  readonly idleHostMs: number;
  /** What an alarm on this pool does: hosts added on ALARM; its OK takes away what it has added. */
  /** Observed times, ms, between a host's last task and its next; the latest last. */
  readonly idleGapsMs?: readonly number[];
  /** Hosts wanted at some hours, whatever the demand; the most of those that apply counts. */
  readonly minimums?: readonly (TimeWindow & { readonly hosts: number })[];
  /** CPU that tasks may be promised of a host, as a multiple of what it has, where measured use allows it; above 1. */
  readonly cpuOvercommit?: number;
  /** What any host costs an hour beside its instance (volume, licences, monitoring), USD. */
  readonly hostUsdPerHour?: number;
  /** Interruptions that a Spot host is expected to have in an hour, where its type says nothing of its own, 0..1. */
  readonly spotInterruptionsPerHour?: number;
  /** How much may be disturbed to save money; absent: the default budget. */
  readonly disruption?: DisruptionBudget;
  /** When hosts were emptied to save money, as far as the last hour's count. */
  readonly disruptedAt?: readonly number[];
  /** What an alarm on this pool does: hosts added on ALARM, taken on OK. */
  readonly alarmStep: number;
  /** By name, the alarms that have spoken of this pool; absent while none has. */
  readonly alarms?: Readonly<Record<string, AlarmOnPool>>;
}

/** What an alarm last said of a pool, and the hosts that it has added and not yet taken away again. */
export interface AlarmOnPool {
  readonly state: 'ALARM' | 'OK';
  /** When it changed to that state, epoch ms. */
  readonly at: number;
  readonly hosts: number;
}

/** What sources have used of the cluster, as of `at` (epoch ms): decayed dominant share by `sourceTag`. */
export interface Usage {
  readonly at: number;
  readonly bySource: Readonly<Record<string, number>>;
}

export interface Cluster {
  readonly name: string;
  /** Number of host partitions (cells) in the table. */
  readonly cells: number;
  readonly paused: boolean;
  /** Whose tasks are left in the queue; absent while there are none. */
  readonly pausedSources?: readonly string[];
  /** Sources' weights in sharing the cluster; absent ones are 1. */
  readonly weights?: Readonly<Record<string, number>>;
  /** Absent while one source has the cluster to itself. */
  readonly usage?: Usage;
  /** Whatever arrived until then, epoch ms, has been placed or is in the queue; absent before the first arrival. */
  readonly arrivalsSeenAt?: number;
  readonly pools: readonly Pool[];
}

/** EC2 had none of this (type, zone, lifecycle) a while ago. */
export interface InsufficientCapacity {
  readonly instanceType: string;
  readonly zone: string;
  readonly lifecycle: Lifecycle;
  readonly until: number;
  readonly code: string;
}

/** One intended purchase, recorded before EC2 is asked so that a crash can finish it with the same token. */
export interface CapacityOrder {
  /** Also the CreateFleet client token. */
  readonly orderId: string;
  readonly cluster: string;
  readonly pool: string;
  readonly state: 'OPEN' | 'DONE' | 'FAILED';
  readonly createdAt: number;
  readonly lifecycle: Lifecycle;
  readonly hosts: number;
  /** Interchangeable offers, cheapest first: EC2 may fall back along them inside one call. */
  readonly offers: readonly CapacityOffer[];
  readonly reason: string;
  /** The hosts that are to be emptied into what is bought; absent for what demand asks for. */
  readonly replaces?: readonly string[];
  /** What EC2 sold of it, by kind; empty while it is open. */
  readonly bought: readonly BoughtHosts[];
  readonly errors: readonly string[];
}

/** Hosts of one kind, as CreateFleet groups them. */
export interface BoughtHosts {
  readonly instanceType: string;
  readonly zone: string;
  readonly lifecycle: Lifecycle;
  readonly hostIds: readonly string[];
}

export interface CapacityOffer {
  readonly instanceType: string;
  readonly zone: string;
  readonly subnet: string;
  readonly usdPerHour: number;
  readonly capacity: Resources;
  readonly architecture: 'x86_64' | 'arm64';
}
