import { createHash } from 'node:crypto';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { createHandler as createAccept } from '../../../functions/accept/handler.ts';
import { createHandler as createObserve } from '../../../functions/observe/handler.ts';
import { createHandler as createProvision } from '../../../functions/provision/handler.ts';
import { createHandler as createSchedule } from '../../../functions/schedule/handler.ts';
import { reconcileCluster } from '../../../layers/control/reconcile/reconcileCluster.ts';
import { fakeWorld } from '../../../layers/control/testWorld.ts';
import type { InstanceType } from '../../../layers/domain/model/pool.ts';
import { parseIncoming } from '../../../layers/events/incoming.ts';
import type { Wakes } from '../../../layers/ports/bus.ts';
import type { ObservedTask } from '../../../layers/ports/containers.ts';
import { createMemoryStore } from '../../../local/sim/memoryStore.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { aCluster, aPool } from '../../support/records.ts';
import { countedStore } from './countedStore.ts';
import { hostArnOf, hostEvent, type Launched, taskEvent } from './ecsEvents.ts';

type WakeOptions = NonNullable<Parameters<Wakes['wake']>[2]>;

export const CLUSTER = 'demo';
/** Twenty tasks fill it. */
const TYPE: InstanceType = {
  name: 'm6i.4xlarge',
  architecture: 'x86_64',
  capacity: { cpu: 16_384, memory: 61_440 },
  usdPerHour: 0.768,
};
export const TASK = { cpu: 800, memory: 3_000 };
const BATCH = 10;

const eventOf = (texts: readonly string[]): SQSEvent => ({
  Records: texts.map((body, index) => ({
    messageId: String(index),
    body,
    attributes: { ApproximateReceiveCount: '1' },
    eventSource: 'aws:sqs',
  })) as unknown as SQSRecord[],
});

/** ECS's lists say what its events say. */
function observedTask(event: string): ObservedTask {
  const parsed = parseIncoming(JSON.parse(event));
  if (parsed.kind !== 'ecs-task') throw new Error(`${parsed.kind} is no task`);
  return parsed.task;
}

const hex = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

/** A cell is to hold 250 hosts at most. */
export const HOSTS_PER_CELL = 250;

/**
 * The real handlers over the store in memory, one call at a time, so that each call's time is its own. ECS takes every
 * launch and EC2 sells every host; what they would tell is fed in as the events that they send.
 */
export async function createDrive(maxHosts: number) {
  const memory = createMemoryStore();
  const { store, calls, writeUnits } = countedStore(memory);
  const pool = aPool({
    cluster: CLUSTER,
    name: 'general',
    instanceTypes: [TYPE.name],
    maxHosts,
    maxHostVcpus: 16,
  });
  await store.ensureCluster(
    aCluster({ name: CLUSTER, cells: Math.ceil(maxHosts / HOSTS_PER_CELL), pools: [pool] }),
  );
  const fake = fakeWorld(store);
  const [launched, bought, live] = [[] as Launched[], [] as string[], new Map<string, Launched>()];
  const [woken, wanted] = [new Set<string>(), new Set<string>()];
  const asking =
    (ids: Set<string>) =>
    async (_cluster: string, _reason: string, options: { readonly taskIds?: readonly string[] } = {}) => {
      for (const id of options.taskIds ?? []) ids.add(id);
    };
  const nothing = (): void => {};
  const wakes: string[] = [];
  const world = {
    ...fake,
    log: { ...fake.log, debug: nothing, with: nothing, begin: nothing },
    metrics: { count: nothing, sample: nothing, flush: nothing },
    bus: {
      ...fake.bus,
      provision: asking(wanted),
      wake: async (
        cluster: string,
        reason: string,
        { delayMs = 0, taskIds = [], ...about }: WakeOptions = {},
      ) => {
        for (const id of taskIds) woken.add(id);
        if (delayMs === 0) wakes.push(JSON.stringify({ cluster, reason, taskIds, ...about }));
      },
    },
    settings: { service: 'scale', logLevel: 'ERROR' } as never,
    containers: {
      ...fake.containers,
      listTasks: async () => [...live.values()].map((task) => observedTask(taskEvent('running', task))),
      launch: async ({ startedBy, hostId }: { readonly startedBy: string; readonly hostId: string }) => {
        const taskArn = `arn:aws:ecs:us-east-1:123456789012:task/${CLUSTER}/${hex(startedBy)}`;
        const task = { startedBy, taskArn, hostArn: hostArnOf(hostId) };
        launched.push(task);
        live.set(startedBy, task);
        return { outcome: 'launched' as const, ecsTaskArn: taskArn };
      },
    },
    machines: {
      ...fake.machines,
      instanceTypes: async () => [TYPE],
      buy: async ({ orderId, hosts }: { readonly orderId: string; readonly hosts: number }) => {
        const instances = Array.from({ length: hosts }, (_, n) => ({
          hostId: `i-${hex(`${orderId}/${n}`).slice(0, 17)}`,
          instanceType: TYPE.name,
          zone: 'us-east-1a',
          lifecycle: 'on-demand' as const,
        }));
        bought.push(...instances.map(({ hostId }) => hostId));
        return { outcome: 'bought' as const, instances, shortages: [], errors: [] };
      },
    },
  };
  const handlers = {
    accept: createAccept(world),
    schedule: createSchedule(world),
    provision: createProvision(world),
    observe: createObserve(world),
  };
  /** Milliseconds of processor time that the function took for its batches, which a busy machine does not stretch; throws when one was to come again. */
  const give = async (name: keyof typeof handlers, texts: readonly string[]): Promise<number> => {
    // The store's index never lags here, and looking through what it showed before would be the store's time.
    memory.tables.indexBefore.clear();
    const before = process.cpuUsage();
    for (let first = 0; first < texts.length; first += BATCH) {
      const answer = await handlers[name](eventOf(texts.slice(first, first + BATCH)), lambdaContext());
      if (answer.batchItemFailures.length > 0) throw new Error(`${name} gave messages back`);
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  /** What was asked of a function meanwhile, as one message. */
  const merged = (asked: Set<string>): string[] => {
    const taskIds = [...asked];
    asked.clear();
    return [JSON.stringify({ cluster: CLUSTER, reason: 'scale', taskIds })];
  };
  return {
    store,
    calls,
    writeUnits,
    live,
    advance: fake.advance,
    accept: (texts: readonly string[]) => give('accept', texts),
    /** One pass that is to see all hosts. */
    pass: () => {
      wakes.splice(0);
      return give('schedule', merged(woken));
    },
    /** The passes that the handlers have asked for since the last. */
    passAsWoken: () => {
      woken.clear();
      return give('schedule', wakes.splice(0));
    },
    purchase: () => give('provision', merged(wanted)),
    /** What was bought registers. */
    register: () =>
      give(
        'observe',
        bought
          .splice(0)
          .map((hostId) => hostEvent(hostId, TYPE.capacity.cpu ?? 0, TYPE.capacity.memory ?? 0)),
      ),
    /** What was launched runs. */
    start: () =>
      give(
        'observe',
        launched.splice(0).map((task) => taskEvent('running', task)),
      ),
    end: (tasks: readonly Launched[]) => {
      for (const { startedBy } of tasks) live.delete(startedBy);
      return give(
        'observe',
        tasks.map((task) => taskEvent('succeeded', task)),
      );
    },
    reconcile: async () => {
      const cluster = await store.getCluster(CLUSTER);
      const started = performance.now();
      if (cluster) await reconcileCluster(world, cluster);
      return performance.now() - started;
    },
  };
}
