import type { Bus } from '../ports/bus.ts';
import type { LaunchRequest, ObservedTask } from '../ports/containers.ts';
import type { Store } from '../ports/store.ts';
import type { World } from './world.ts';

export interface FakeWorld extends World {
  readonly bus: Bus;
  readonly launched: LaunchRequest[];
  /** ARNs of the attempts asked to stop. */
  readonly stopped: string[];
  readonly woken: {
    readonly reason: string;
    readonly taskIds: readonly string[];
    readonly delayMs: number;
  }[];
  /** What ECS lists. */
  readonly ecsTasks: ObservedTask[];
  advance(ms: number): void;
}

/** A world for use cases over a store: ECS takes every launch, nothing happens by itself, time stands until advanced. */
export function fakeWorld(store: Store): FakeWorld {
  let now = 1_790_000_000_000;
  let ids = 0;
  const [launched, stopped, woken, ecsTasks] = [
    [] as LaunchRequest[],
    [] as string[],
    [] as FakeWorld['woken'][number][],
    [] as ObservedTask[],
  ];
  const ignore = () => {};
  return {
    store,
    launched,
    stopped,
    woken,
    ecsTasks,
    advance(ms) {
      now += ms;
    },
    clock: { now: () => now },
    ids: { next: () => `id${++ids}` },
    log: { info: ignore, warn: ignore, error: ignore },
    metrics: { count: ignore, sample: ignore },
    bus: {
      publish: async () => {},
      wake: async (_cluster, reason, { taskIds = [], delayMs = 0 } = {}) => {
        woken.push({ reason, taskIds, delayMs });
      },
      provision: async () => {},
    },
    containers: {
      describeTaskDefinition: async (nameOrArn) => ({
        arn: nameOrArn,
        family: 'web',
        revision: 7,
        networkMode: 'bridge',
        containers: [
          {
            name: 'app',
            image: 'web',
            essential: true,
            cpuUnits: 256,
            memoryMiB: 512,
            gpus: 0,
            hostPorts: [],
          },
        ],
      }),
      launch: async (request) => {
        launched.push(request);
        return { outcome: 'launched', ecsTaskArn: `arn:${request.clientToken}` };
      },
      stop: async (_cluster, arn) => {
        stopped.push(arn);
        return { outcome: 'asked' };
      },
      describeTasks: async () => [],
      listTasks: async () => [...ecsTasks],
      listHosts: async () => [],
      setDraining: async () => {},
      deregister: async () => {},
    },
    machines: {
      instanceTypes: async () => [],
      buy: async () => ({ outcome: 'bought', instances: [], shortages: [], errors: [] }),
      terminate: async () => {},
      list: async (cluster) =>
        (await store.listHosts(cluster)).map(({ hostId, instanceType, zone, lifecycle, launchedAt }) => ({
          hostId,
          state: 'running',
          instanceType,
          zone,
          lifecycle,
          launchedAt,
        })),
    },
  };
}
