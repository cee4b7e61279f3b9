/** How often each thing goes wrong while the storm lasts: a probability at every point where it may, unless a mean time. */
export interface FaultRates {
  /** The handler's process ends before, or just after, a call: nobody hears of it, the message comes again. */
  readonly crash: number;
  /** A call of the store or the bus fails and did nothing. */
  readonly refusedCall: number;
  /** A call takes effect and its answer is an error. */
  readonly lostAnswer: number;
  /** A call takes a while, so that others come in between. */
  readonly slowCall: number;
  /** Lambda gives the invocation up at this call, the message comes again, and the call goes on after minutes. */
  readonly zombie: number;
  /** An event or a message is delivered again, later. */
  readonly duplicate: number;
  /** An event comes minutes late, after newer ones. */
  readonly lateEvent: number;
  /** An event comes hours late, in so many of the late ones. */
  readonly veryLateEvent: number;
  /** An event of ECS or EC2 is lost: their delivery is best effort. */
  readonly lostEvent: number;
  /** What a function asks of another by queue is given up, and nobody gives it another round. */
  readonly lostWake: number;
  /** ECS refuses a call with ThrottlingException. */
  readonly throttle: number;
  /** RunTask answers with `failures[]` although the host has room. */
  readonly launchFailure: number;
  /** DescribeTasks and ListTasks show how a task was. */
  readonly staleRead: number;
  /** The queue's index shows a task as it was before its last change. */
  readonly staleIndex: number;
  /** EC2 has none of an offer. */
  readonly insufficientCapacity: number;
  /** An instance never registers. */
  readonly failedBoot: number;
  /** Mean ms between deaths of hosts, 0 for never. */
  readonly hostDeathMs: number;
  /** Mean ms between two-minute warnings of Spot hosts, 0 for never. */
  readonly interruptionMs: number;
  /** A Spot host that is taken shuts down in order and tells of its containers' ends, in so many. */
  readonly orderlyShutdown: number;
  /** Mean ms between partitions of an agent from ECS, 0 for never. */
  readonly partitionMs: number;
  /** Such a partition never ends, in so many of them. */
  readonly endlessPartition: number;
  /** Mean ms between hosts that lose their disk: their tasks are gone, and their agents register anew. 0 for never. */
  readonly dataLossMs: number;
  /**
   * Mean ms between agents that lose their data alone: they register their hosts anew while what they started runs on,
   * unknown to ECS. 0 for never.
   */
  readonly forgottenMs: number;
  /** Mean ms between hosts that somebody deregisters in ECS by force: what runs there runs on, unknown to ECS. 0 for never. */
  readonly deregisteredMs: number;
  /** An invocation's clock is off by up to this. */
  readonly clockSkewMs: number;
  /** A reconcile round is skipped. */
  readonly lateReconcile: number;
}

export type FaultKind = keyof FaultRates;

export const calm: FaultRates = {
  crash: 0,
  refusedCall: 0,
  lostAnswer: 0,
  slowCall: 0,
  zombie: 0,
  duplicate: 0,
  lateEvent: 0,
  veryLateEvent: 0,
  lostEvent: 0,
  lostWake: 0,
  throttle: 0,
  launchFailure: 0,
  staleRead: 0,
  staleIndex: 0,
  insufficientCapacity: 0,
  failedBoot: 0,
  hostDeathMs: 0,
  interruptionMs: 0,
  orderlyShutdown: 0,
  partitionMs: 0,
  endlessPartition: 0,
  dataLossMs: 0,
  forgottenMs: 0,
  deregisteredMs: 0,
  clockSkewMs: 0,
  lateReconcile: 0,
};

export const storm: FaultRates = {
  crash: 0.006,
  refusedCall: 0.01,
  lostAnswer: 0.01,
  slowCall: 0.15,
  zombie: 0.003,
  duplicate: 0.05,
  lateEvent: 0.05,
  veryLateEvent: 0.02,
  lostEvent: 0.02,
  lostWake: 0.02,
  throttle: 0.02,
  launchFailure: 0.02,
  staleRead: 0.1,
  staleIndex: 0.2,
  insufficientCapacity: 0.15,
  failedBoot: 0.05,
  hostDeathMs: 300_000,
  interruptionMs: 400_000,
  orderlyShutdown: 0.5,
  partitionMs: 200_000,
  endlessPartition: 0.1,
  dataLossMs: 400_000,
  forgottenMs: 400_000,
  deregisteredMs: 800_000,
  clockSkewMs: 3_000,
  lateReconcile: 0.2,
};

/** The mean times between blows, which grow rarer as they grow longer. */
const meanTimes: ReadonlySet<FaultKind> = new Set([
  'hostDeathMs',
  'interruptionMs',
  'partitionMs',
  'dataLossMs',
  'forgottenMs',
  'deregisteredMs',
]);
const MAX_RATE = 0.5;

/** The storm, so many times as bad: 0 is calm. */
export function ofSeverity(severity: number): FaultRates {
  if (severity <= 0) return calm;
  const rates: Record<FaultKind, number> = { ...storm };
  for (const kind of Object.keys(rates) as FaultKind[]) {
    if (meanTimes.has(kind)) rates[kind] = storm[kind] / severity;
    else if (kind !== 'clockSkewMs') rates[kind] = Math.min(MAX_RATE, storm[kind] * severity);
  }
  return rates;
}
