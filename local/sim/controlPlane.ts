import type { EventBridgeClient, PutEventsCommandInput } from '@aws-sdk/client-eventbridge';
import type { SendMessageCommandInput, SQSClient } from '@aws-sdk/client-sqs';
import type { Context, DynamoDBBatchResponse, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createBus } from '../../layers/aws/bus.ts';
import { PassMemory } from '../../layers/control/passMemory.ts';
import type { Host } from '../../layers/domain/model/host.ts';
import type { CapacityOrder } from '../../layers/domain/model/pool.ts';
import type { Task } from '../../layers/domain/model/task.ts';
import type { Bus } from '../../layers/ports/bus.ts';
import type { Containers } from '../../layers/ports/containers.ts';
import type { Store } from '../../layers/ports/store.ts';
import type { Deps } from '../../layers/runtime/deps.ts';
import type { EngineClock } from '../engine/clock.ts';
import type { AwsEvent } from '../engine/service.ts';
import type { Announcements } from './announcements.ts';
import type { Cloud } from './cloud.ts';
import { simDeadLetters } from './deadLetters.ts';
import type { FaultRates } from './faultRates.ts';
import { contextOf, type FunctionName, functions, timeoutMs } from './functions.ts';
import { Invocation, type Weather } from './invocation.ts';
import type { MemoryTables } from './memoryTables.ts';
import type { SimPlan } from './plan.ts';
import { SimQueue } from './queue.ts';
import type { Random } from './random.ts';
import type { SimOptions } from './simOptions.ts';
import { SimStream } from './stream.ts';
import type { Trace } from './trace.ts';

export interface ControlPlane {
  /** An event on the account's bus: goes to the queue of the rule that wants it. */
  emit(event: AwsEvent): void;
  /** Records changed: the table's stream tells `publish`. */
  taskWritten(task: Task): void;
  orderWritten(order: CapacityOrder): void;
  hostWritten(before: Host | undefined, after: Host | undefined): void;
  /** Runs a function as `aws lambda invoke` or a schedule does; `undefined` when the invocation was lost. */
  invoke(name: FunctionName, event: unknown): Promise<unknown>;
  /** Invocations of a function fail for so long before it has done anything. */
  takeDown(name: FunctionName, forMs: number): void;
  /** Has the operator's function give messages that were given up another round. */
  redrive(): void;
  idle(): boolean;
  waiting(): Record<string, number>;
  points(): number;
}

export interface ControlPlaneOptions extends Pick<SimOptions, 'decorators' | 'crash'> {
  readonly clock: EngineClock;
  readonly random: (name: string) => Random;
  readonly rates: () => FaultRates;
  readonly trace: Trace;
  readonly store: Store & { readonly tables: MemoryTables };
  readonly cloud: Cloud;
  readonly plan: SimPlan;
  /** Without it the table's stream is not read: announcing is a third of a run's work. */
  readonly announcements?: Announcements;
}

/** What a function keeps from one invocation to the next in the same process. */
interface Warm {
  readonly containers: Containers;
  readonly bus: Bus;
}

/** As in the template. */
const VISIBILITY_MS = 30_000;
const LATE_MEAN_MS = 60_000;
const VERY_LATE_MEAN_MS = 1_800_000;
const LATEST_MS = 2 * 3_600_000;

/** The functions, queues and rules of the template, with everything that may go wrong between them. */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { clock, random, rates, trace, cloud, crash, announcements } = options;
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  const [delivery, skew, ids] = [random('delivery'), random('skew'), random('ids')];
  let points = 0;
  let running = 0;
  let events = 0;
  const weather: Weather = {
    random: random('calls'),
    rates,
    sleep,
    note: trace.note,
    nextPoint: () => points++,
    ...(crash !== undefined && { crashAt: (point) => (point === crash.point ? crash.when : undefined) }),
  };

  const warm = new Map<FunctionName, Warm>();
  // A process runs one invocation at a time, and takes what it remembers with it when it dies.
  const memories = Array.from({ length: options.plan.processes ?? 1 }, () => new PassMemory());
  const bus = (): Bus =>
    createBus({
      events: {
        send: async ({ input }: { input: PutEventsCommandInput }) => take(input),
      } as unknown as EventBridgeClient,
      sqs: {
        send: async ({ input }: { input: SendMessageCommandInput }) => sendTo(input),
      } as unknown as SQSClient,
      busName: 'berth',
      wakeQueueUrl: 'wake',
      provisionQueueUrl: 'provision',
      lateWakeQueueUrl: 'lateWake',
      clock,
      ids: { next: () => ids.hex(16) },
      sleep,
    });

  const depsOf = (invocation: Invocation, { containers, bus }: Warm): Deps => {
    const { decorators = {} } = options;
    const off = rates().clockSkewMs > 0 ? skew.between(-rates().clockSkewMs, rates().clockSkewMs) : 0;
    // Whole, as `Date.now` is: times are parts of keys.
    const now = (): number => Math.floor(clock.now() + off);
    const store = decorators.store?.(options.store, { tables: options.store.tables, now }) ?? options.store;
    return {
      store: invocation.wrap('store', store),
      containers: invocation.wrap('containers', decorators.containers?.(containers) ?? containers),
      machines: invocation.wrap('machines', decorators.machines?.(cloud.machines) ?? cloud.machines),
      bus: invocation.wrap('bus', decorators.bus?.(bus) ?? bus),
      deadLetters: invocation.wrap('deadLetters', simDeadLetters(queues)),
      clock: { now },
      ids: { next: () => ids.hex(16) },
      log: logOf(invocation.name, trace),
      metrics: { count: () => {}, sample: () => {}, flush: () => {} },
      settings: { service: 'sim', logLevel: 'INFO' },
    };
  };

  const downUntil = new Map<FunctionName, number>();
  const invoke = async (name: FunctionName, event: unknown): Promise<unknown> => {
    if (clock.now() < (downUntil.get(name) ?? 0)) throw new Error(`${name} is down`);
    const invocation = new Invocation(name, weather);
    const kept = warm.get(name) ?? { containers: cloud.containers(), bus: bus() };
    warm.set(name, kept);
    const deps = depsOf(invocation, kept);
    const memory = name === 'schedule' ? (memories.shift() ?? new PassMemory()) : undefined;
    const made = memory === undefined ? functions[name](deps) : functions.schedule(deps, memory);
    const handler = made as (event: unknown, context: Context) => Promise<unknown>;
    const deadline = clock.now() + timeoutMs[name];
    const stopTimer = clock.after(timeoutMs[name], () => invocation.giveUp('Task timed out'));
    running += 1;
    try {
      const answer = await Promise.race([
        handler(
          event,
          contextOf(name, () => deadline - clock.now()),
        ),
        invocation.lost,
      ]);
      if (memory !== undefined) memories.push(memory);
      return answer;
    } catch (error) {
      // A process that died takes what it kept with it.
      warm.delete(name);
      trace.note(() => `${name} is lost: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    } finally {
      running -= 1;
      stopTimer();
    }
  };

  const unruliness = (): number => rates().duplicate;
  const queue = (name: string, target: FunctionName, fifo: boolean, concurrency: number): SimQueue =>
    new SimQueue({
      name,
      clock,
      random: random(`queue ${name}`),
      batchSize: 10,
      concurrency,
      fifo,
      visibilityMs: VISIBILITY_MS,
      maxReceives: 10,
      unruliness,
      note: trace.note,
      deliver: async (batch: SQSEvent) => {
        const response = (await invoke(target, batch)) as SQSBatchResponse | undefined;
        return options.decorators?.answer?.(response) ?? response;
      },
    });
  const queues = {
    launch: queue('launch', 'accept', false, 3),
    observe: queue('observe', 'observe', false, 3),
    scale: queue('scale', 'scale', false, 1),
    wake: queue('wake', 'schedule', true, 1),
    lateWake: queue('lateWake', 'schedule', false, 2),
    provision: queue('provision', 'provision', true, 1),
  };

  const puts = random('puts');
  /** PutEvents takes each entry or does not; a caller has to look. */
  function take({ Entries = [] }: PutEventsCommandInput): object {
    const answers = Entries.map(({ DetailType = '', Detail = '' }, index) => {
      if (puts.chance(rates().refusedCall))
        return { ErrorCode: 'InternalFailure', ErrorMessage: 'try again' };
      announcements?.announce(DetailType, Detail);
      return { EventId: String(index) };
    });
    return { FailedEntryCount: answers.filter((answer) => 'ErrorCode' in answer).length, Entries: answers };
  }
  const stream = new SimStream({
    clock,
    deliver: (batch) => invoke('publish', batch) as Promise<DynamoDBBatchResponse | undefined>,
  });

  const wakes = random('wakes');
  function sendTo({ QueueUrl, MessageBody, MessageGroupId, DelaySeconds }: SendMessageCommandInput): object {
    if (wakes.chance(rates().lostWake)) {
      trace.note(() => `lost: ${QueueUrl} ${MessageBody}`);
      return {};
    }
    const target = queues[QueueUrl as keyof typeof queues];
    target.send(MessageBody ?? '', {
      ...(MessageGroupId !== undefined && { group: MessageGroupId }),
      ...(DelaySeconds !== undefined && { delayMs: DelaySeconds * 1000 }),
    });
    return {};
  }

  const emit = (event: AwsEvent): void => {
    const { duplicate, lateEvent, veryLateEvent, lostEvent } = rates();
    const observed = event.source === 'aws.ecs' || event.source === 'aws.ec2';
    const target =
      event['detail-type'] === 'Task Requested' ? queues.launch : observed ? queues.observe : queues.scale;
    if (observed && delivery.chance(lostEvent)) {
      trace.note(() => `lost: ${event['detail-type']}`);
      return;
    }
    const body = JSON.stringify({
      version: '0',
      id: `event-${++events}`,
      account: '000000000000',
      region: 'us-east-1',
      time: new Date(event.timeMs ?? clock.now()).toISOString(),
      source: event.source,
      'detail-type': event['detail-type'],
      resources: event.resources,
      detail: event.detail,
    });
    for (let copies = delivery.chance(duplicate) ? 2 : 1; copies > 0; copies--) {
      const mean = delivery.chance(veryLateEvent) ? VERY_LATE_MEAN_MS : LATE_MEAN_MS;
      target.send(body, {
        delayMs: delivery.chance(lateEvent) ? Math.min(LATEST_MS, delivery.around(mean)) : 0,
      });
    }
  };

  return {
    emit,
    invoke,
    taskWritten(task) {
      if (announcements === undefined) return;
      announcements.record(task);
      stream.taskWritten(task);
    },
    orderWritten(order) {
      if (announcements === undefined) return;
      announcements.recordOrder(order);
      stream.orderWritten(order);
    },
    hostWritten(before, after) {
      const hostId = after?.hostId ?? before?.hostId;
      if (announcements === undefined || hostId === undefined) return;
      // Claims and releases announce nothing of a host.
      if (before?.state === after?.state && before?.stateSince === after?.stateSince) return;
      announcements.recordHost(before, after);
      stream.hostWritten(hostId, after);
    },
    takeDown(name, forMs) {
      downUntil.set(name, clock.now() + forMs);
    },
    redrive() {
      for (const [queue, { dead }] of Object.entries(queues)) {
        if (dead.length === 0) continue;
        // By the operator's function, one alone by its id; whoever is not answered asks again.
        const [only, ...others] = dead;
        const one = others.length === 0 && only !== undefined ? { messageId: only.id } : {};
        invoke('operate', { operation: 'redrive', queue, ...one }).catch(() => {});
      }
    },
    idle: () =>
      running === 0 &&
      stream.depth === 0 &&
      Object.values(queues).every(({ depth, dead }) => depth === 0 && dead.length === 0),
    waiting: () =>
      Object.fromEntries([
        ...Object.values(queues).map(({ name, depth, dead }) => [name, depth + dead.length]),
        ['stream', stream.depth],
      ]),
    points: () => points,
  };
}

function logOf(name: string, trace: Trace): Deps['log'] {
  const line = (level: string) => (message: string, fields?: object) =>
    trace.note(() => `${name} ${level}: ${message} ${JSON.stringify(fields ?? {}, errorsAsText)}`);
  return {
    debug: () => {},
    info: line('says'),
    warn: line('warns'),
    error: line('fails'),
    with: () => {},
    begin: () => {},
  };
}

const errorsAsText = (_key: string, value: unknown): unknown =>
  value instanceof Error ? value.message : value;
