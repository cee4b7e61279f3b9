import type { Pool } from '../../layers/domain/model/pool.ts';

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
  readonly behaviour: Behaviour;
  /** How often the event is sent, each time as an event of its own with the same key. */
  readonly sends: number;
}

/** What a process of a request does; the same for the same attempt in every run. */
export interface Behaviour {
  /** Absent: it runs until it is stopped. */
  readonly runMs?: number;
  /** Of the attempts after `failures`. */
  readonly exitCode: number;
  /** So many of its own attempts exit with 1 first. */
  readonly failures: number;
}

/** Something a person or an alarm does. */
export type SimAction =
  | { readonly kind: 'cancel'; readonly atMs: number; readonly key: string; readonly ordinal: number }
  | { readonly kind: 'drain'; readonly atMs: number; readonly pick: number }
  /** ALARM, and OK again `forMs` later; a pause, and the resumption. */
  | { readonly kind: 'alarm' | 'pause'; readonly atMs: number; readonly forMs: number }
  /** A host dies, its Spot instance is taken, or its agent loses ECS for a while; `pick` chooses among those there are. */
  | { readonly kind: 'kill' | 'interrupt' | 'partition'; readonly atMs: number; readonly pick: number };

/** Everything that happens in a run by itself; what goes wrong on top of it is `FaultRates`. Times are from its start. */
export interface SimPlan {
  readonly requests: readonly SimRequest[];
  readonly actions: readonly SimAction[];
  readonly pool: Pool;
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
