import { taskIdOf } from '../../layers/control/taskId.ts';
import type { InstanceType, Pool } from '../../layers/domain/model/pool.ts';

/** One `Task Requested` of the run, and how its processes behave. */
export interface SimRequest {
  readonly key: string;
  readonly atMs: number;
  readonly count: number;
  readonly cpu: number;
  readonly memory: number;
  readonly priority: number;
  readonly interruptible: boolean;
  readonly maxAttempts: number;
  readonly timeoutSeconds?: number;
  readonly concurrency?: { readonly key: string; readonly max: number };
  readonly behaviour: Behaviour;
  /** How often the event is sent, each time as an event of its own with the same key. */
  readonly sends: number;
  /** Whose event it is; absent: `shop`'s. */
  readonly source?: string;
  /** The tasks are one array. */
  readonly array?: boolean;
  /** Requests, by key, whose first tasks these wait for. The event is sent when those are on record. */
  readonly after?: readonly {
    readonly key: string;
    readonly condition: 'success' | 'completion';
    /** Each of these, a member of an array, waits for that array's member with its index. */
    readonly byIndex?: true;
  }[];
  /** The only exit codes that are tried again; absent: any. */
  readonly retryOnExit?: readonly number[];
}

export const sourceOf = ({ source = 'shop' }: SimRequest): string => source;

const taskIds = new WeakMap<SimRequest, readonly string[]>();

/** Kept with the request: a digest each, asked for at every look at what is waited for. */
export function taskIdsOf(request: SimRequest): readonly string[] {
  const known = taskIds.get(request);
  if (known !== undefined) return known;
  const ids = Array.from({ length: request.count }, (_, ordinal) =>
    taskIdOf(sourceOf(request), request.key, ordinal),
  );
  taskIds.set(request, ids);
  return ids;
}

/** Of each request that is waited for, so many tasks: an event names at most twenty. */
const WAITED_FOR = 3;

/** The tasks that those of a request wait for. */
export function dependenciesOf(request: SimRequest, requests: readonly SimRequest[]) {
  return (request.after ?? []).flatMap(({ key, condition, byIndex }) =>
    requests
      .filter((each) => each.key === key)
      .flatMap((each) => taskIdsOf(each).slice(0, byIndex ? 1 : WAITED_FOR))
      .map((taskId) => ({ taskId, condition, ...(byIndex && { byIndex }) })),
  );
}

/** What a process of a request does; the same for the same attempt in every run. */
export interface Behaviour {
  /** Absent: it runs until it is stopped. */
  readonly runMs?: number;
  /** Of the attempts after `failures`. */
  readonly exitCode: number;
  /** So many of its own attempts exit with 1 first. */
  readonly failures: number;
  /** Those run out of memory. */
  readonly outOfMemory?: boolean;
  /** The image of so many attempts, before all others, cannot be pulled. */
  readonly pullFailures?: number;
}

/** Something a person or an alarm does. */
export type SimAction =
  | { readonly kind: 'cancel'; readonly atMs: number; readonly key: string; readonly ordinal: number }
  | { readonly kind: 'drain'; readonly atMs: number; readonly pick: number }
  /** ALARM, and OK again `forMs` later; a pause, and the resumption. */
  | { readonly kind: 'alarm' | 'pause'; readonly atMs: number; readonly forMs: number }
  | { readonly kind: 'pauseSource'; readonly atMs: number; readonly forMs: number; readonly source: string }
  /** A function cannot be invoked, as after a bad deployment: what it does not take in time is given up. */
  | {
      readonly kind: 'outage';
      readonly atMs: number;
      readonly forMs: number;
      readonly of: 'accept' | 'schedule';
    }
  /**
   * A host dies, its Spot instance is taken, its agent loses ECS for a while, it its disk, or its agent its data
   * alone, or it is deregistered by force; `pick` chooses among those there are.
   */
  | {
      readonly kind: 'kill' | 'interrupt' | 'partition' | 'loseData' | 'forget' | 'deregister';
      readonly atMs: number;
      readonly pick: number;
    };

/** Everything that happens in a run by itself; what goes wrong on top of it is `FaultRates`. Times are from its start. */
export interface SimPlan {
  readonly requests: readonly SimRequest[];
  readonly actions: readonly SimAction[];
  readonly pool: Pool;
  /** What EC2 sells; absent: two small ones. */
  readonly types?: readonly InstanceType[];
  /** Of the cluster's hosts; absent: one. With more passes plan on copies (`HostCopy`). */
  readonly cells?: number;
  /** Warm processes that passes take turns in; absent: one, and others only while passes overlap. */
  readonly processes?: number;
  /** Until when things go wrong. */
  readonly stormMs: number;
}

export const CLUSTER = 'sim';

export const simPool = (over: Partial<Pool> = {}): Pool => ({
  name: 'general',
  cluster: CLUSTER,
  instanceTypes: ['sim.*'],
  lifecycles: ['on-demand'],
  zones: ['us-east-1a', 'us-east-1b'],
  minHosts: 0,
  maxHosts: 6,
  desiredHosts: 0,
  headroom: {},
  maxHostVcpus: 4,
  launchTemplate: 'lt-0123456789abcdef0',
  subnets: { 'us-east-1a': 'subnet-a', 'us-east-1b': 'subnet-b' },
  idleHostMs: 60_000,
  alarmStep: 1,
  ...over,
});
