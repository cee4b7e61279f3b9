import type { Store } from '../../layers/ports/store.ts';
import type { VirtualClock } from '../engine/testClock.ts';
import { commandOf } from './behaviour.ts';
import type { Checker } from './checker.ts';
import { BOOT_MS, type Cloud } from './cloud.ts';
import type { ControlPlane } from './controlPlane.ts';
import type { FaultRates } from './faultRates.ts';
import {
  CLUSTER,
  dependenciesOf,
  type SimAction,
  type SimPlan,
  type SimRequest,
  sourceOf,
  taskIdsOf,
} from './plan.ts';
import type { Random } from './random.ts';

export interface DriverOptions {
  readonly clock: VirtualClock;
  readonly startMs: number;
  readonly plan: SimPlan;
  readonly plane: ControlPlane;
  readonly cloud: Cloud;
  readonly store: Store;
  readonly checker: Checker;
  readonly random: (name: string) => Random;
  readonly rates: () => FaultRates;
  /** Nothing is under way, whatever may still be on its way. */
  readonly atRest: () => boolean;
  /** Filled with the ids that somebody asked to cancel. */
  readonly cancelled: Set<string>;
}

const RECONCILE_MS = 60_000;
/** How long an operator waits before a command that was lost is given again. */
const REPEAT_MS = 5_000;
const MAX_REPEATS = 200;
const LOOK_AGAIN_MS = 1_000;
const PARTITION_MEAN_MS = 90_000;

/** Sets off everything that happens from outside: requests, people, alarms, the reconcile schedule, and hosts' fates. */
export function driveActions(options: DriverOptions): void {
  const { clock, plan, random, rates } = options;
  for (const request of plan.requests) {
    for (let send = 0; send < request.sends; send++) {
      clock.after(request.atMs + send * 1_000, () => sendRequest(options, request));
    }
  }
  for (const action of plan.actions) clock.after(action.atMs, () => act(options, action));
  const dice = random('reconcile');
  const reconcile = (): void => {
    clock.after(RECONCILE_MS, reconcile);
    // Hours may pass until the last late event comes; rounds over an empty world would show nothing.
    if (options.atRest()) return;
    if (!dice.chance(rates().lateReconcile)) void options.plane.invoke('reconcile', {}).catch(() => {});
  };
  clock.after(RECONCILE_MS, reconcile);
  for (const [kind, meanOf] of fates) recur(options, kind, meanOf);
}

type Fate = 'kill' | 'interrupt' | 'partition' | 'loseData' | 'forget' | 'deregister';

const fates: readonly (readonly [Fate, (rates: FaultRates) => number])[] = [
  ['kill', ({ hostDeathMs }) => hostDeathMs],
  ['interrupt', ({ interruptionMs }) => interruptionMs],
  ['partition', ({ partitionMs }) => partitionMs],
  ['loseData', ({ dataLossMs }) => dataLossMs],
  ['forget', ({ forgottenMs }) => forgottenMs],
  ['deregister', ({ deregisteredMs }) => deregisteredMs],
];

const ofAgents: ReadonlySet<Fate> = new Set(['partition', 'loseData', 'forget', 'deregister']);

/** Strikes a host every so often for as long as the storm lasts. */
function recur(options: DriverOptions, kind: Fate, meanOf: (rates: FaultRates) => number): void {
  const dice = options.random(kind);
  const next = (): void => {
    const mean = meanOf(options.rates());
    if (mean <= 0) return;
    options.clock.after(dice.around(mean), () => {
      if (meanOf(options.rates()) > 0) act(options, { kind, atMs: 0, pick: dice.between(0, 99) });
      next();
    });
  };
  next();
}

/** Sends it when what it waits for is on record: whoever asks has the ids from `Task Accepted`. */
async function sendRequest(options: DriverOptions, request: SimRequest): Promise<void> {
  const { plane, plan, store, clock } = options;
  const after = dependenciesOf(request, plan.requests);
  const known = await store.getTasks(after.map(({ taskId }) => taskId));
  if (known.length < after.length) {
    clock.after(LOOK_AGAIN_MS, () => sendRequest(options, request));
    return;
  }
  const { key, count, cpu, memory, priority, interruptible, maxAttempts, timeoutSeconds, behaviour } =
    request;
  const { retryOnExit, array = false } = request;
  plane.emit({
    source: sourceOf(request),
    'detail-type': 'Task Requested',
    resources: [],
    detail: {
      cluster: CLUSTER,
      taskDefinition: 'job',
      idempotencyKey: key,
      count,
      containers: [{ name: 'main', cpu, memory, command: commandOf(behaviour) }],
      priority,
      interruptible,
      retry: { maxAttempts, ...(retryOnExit && { on: { exitCodes: retryOnExit } }) },
      ...(timeoutSeconds !== undefined && { timeoutSeconds }),
      ...(array && { array }),
      ...(after.length > 0 && { after }),
      ...(request.concurrency !== undefined && { concurrency: request.concurrency }),
    },
  });
}

function act(options: DriverOptions, action: SimAction): void {
  const { plan, plane, cancelled, clock } = options;
  switch (action.kind) {
    case 'cancel': {
      const request = plan.requests.find(({ key }) => key === action.key);
      const taskId = request && taskIdsOf(request)[action.ordinal];
      if (taskId === undefined) return;
      cancelled.add(taskId);
      insist(options, { operation: 'cancel', taskId });
      return;
    }
    case 'pause':
    case 'pauseSource': {
      const what = { cluster: CLUSTER, ...(action.kind === 'pauseSource' && { source: action.source }) };
      const clocksDifferMs = 2 * options.rates().clockSkewMs;
      const giveUp = insist(options, { operation: 'pause', ...what });
      clock.after(action.forMs, () => {
        // Nobody repeats a pause that is over. One that is still under way must not seem the later of the two, by clocks of
        // which one is ahead and the other behind.
        giveUp();
        clock.after(clocksDifferMs, () => {
          insist(options, { operation: 'resume', ...what });
        });
      });
      return;
    }
    case 'alarm':
      plane.emit(alarmEvent('ALARM', clock.now()));
      clock.after(action.forMs, () => plane.emit(alarmEvent('OK', clock.now())));
      return;
    case 'outage':
      plane.takeDown(action.of, action.forMs);
      return;
    case 'drain':
      void drain(options, action.pick);
      return;
    default:
      strike(options, action.kind, action.pick);
  }
}

/** An operator repeats a command until it is answered, with a refusal if need be, or until what is returned is called. */
function insist({ plane, clock }: DriverOptions, command: object): () => void {
  let wanted = true;
  const give = async (left: number): Promise<void> => {
    if (!wanted) return;
    try {
      await plane.invoke('operate', command);
    } catch {
      if (left > 0) clock.after(REPEAT_MS, () => give(left - 1));
    }
  };
  void give(MAX_REPEATS);
  return () => {
    wanted = false;
  };
}

async function drain(options: DriverOptions, pick: number): Promise<void> {
  const ready = (await options.store.listHosts(CLUSTER)).filter(({ state }) => state === 'READY');
  const host = ready[pick % Math.max(1, ready.length)];
  if (host !== undefined) insist(options, { operation: 'drain', cluster: CLUSTER, hostId: host.hostId });
}

function strike({ cloud, checker, clock, random, rates }: DriverOptions, kind: Fate, pick: number): void {
  const { machines, processes } = cloud;
  const up = [...machines.instances.values()].filter(
    ({ state, lifecycle, launchedAt }) =>
      state === 'running' &&
      (kind !== 'interrupt' || lifecycle === 'spot') &&
      // An agent that was never connected cannot be cut off.
      (!ofAgents.has(kind) || clock.now() - launchedAt > BOOT_MS),
  );
  const hostId = up[pick % Math.max(1, up.length)]?.hostId;
  if (hostId === undefined) return;
  switch (kind) {
    case 'kill':
      processes.hosts.die(hostId, 'The hardware failed.');
      return;
    case 'interrupt': {
      checker.doomed.add(hostId);
      const inOrder = random(`shutdown ${hostId}`).chance(rates().orderlyShutdown);
      machines.interrupt(hostId, () => machines.take(hostId, inOrder, 'EC2 took the Spot instance back.'));
      return;
    }
    case 'loseData':
      checker.silenced.add(hostId);
      cloud.loseData(hostId);
      return;
    case 'forget':
      checker.silenced.add(hostId);
      cloud.forget(hostId);
      return;
    case 'deregister':
      checker.silenced.add(hostId);
      // Whoever does it by hand may be refused as well.
      void cloud.deregister(hostId).catch(() => {});
      return;
    case 'partition': {
      checker.silenced.add(hostId);
      processes.hosts.silence(hostId);
      const dice = random(`partition ${hostId} ${clock.now()}`);
      if (dice.chance(rates().endlessPartition)) return;
      clock.after(dice.around(PARTITION_MEAN_MS), () => processes.hosts.speak(hostId));
    }
  }
}

const alarmEvent = (state: 'ALARM' | 'OK', nowMs: number) => ({
  source: 'aws.cloudwatch',
  'detail-type': 'CloudWatch Alarm State Change',
  resources: [],
  detail: {
    alarmName: 'load',
    state: { value: state, timestamp: new Date(nowMs).toISOString() },
    previousState: { value: state === 'OK' ? 'ALARM' : 'OK' },
    configuration: {
      metrics: [
        {
          id: 'm1',
          metricStat: {
            metric: {
              namespace: 'Sim',
              name: 'load',
              dimensions: { ClusterName: CLUSTER, PoolName: 'general' },
            },
            period: 60,
            stat: 'Average',
          },
          returnData: true,
        },
      ],
    },
  },
});
