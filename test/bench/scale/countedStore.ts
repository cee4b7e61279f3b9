import type { Store } from '../../../layers/ports/store.ts';

/** Write units of one call beside the units for each of its tasks; `test/contract/writeUnits.test.ts` measures them. */
const UNITS: Readonly<Record<string, { readonly call: number; readonly task?: number }>> = {
  acceptTask: { call: 1 },
  claim: { call: 2, task: 2 },
  recordLaunch: { call: 1 },
  recordRunning: { call: 1 },
  recordWait: { call: 1 },
  queueTask: { call: 1 },
  finishTask: { call: 1 },
  releaseClaims: { call: 1 },
  // Two items and a look at the order, of 3 KiB with twelve offers: a transaction doubles.
  addHost: { call: 10 },
  registerHost: { call: 2 },
  openOrder: { call: 1 },
  closeOrder: { call: 1 },
};

/** An arrival without its ids, and one of them (26 characters, of a list). */
const ARRIVAL_BYTES = 150;
const ID_BYTES = 30;

export interface CountedStore {
  readonly store: Store;
  /** DynamoDB write units of all calls so far. */
  writeUnits(): number;
  /** Calls so far, by method. */
  readonly calls: ReadonlyMap<string, number>;
}

/** The same store, with its calls counted. */
export function countedStore(inner: Store): CountedStore {
  const calls = new Map<string, number>();
  let units = 0;
  /** In the queue's index, where coming and going cost a unit each. */
  const queued = new Set<string>();
  const enter = (taskId: string): number => {
    queued.add(taskId);
    return 1;
  };
  const leave = (taskId: string): number => (queued.delete(taskId) ? 1 : 0);
  const besides: { readonly [Name in keyof Store]?: (...args: Parameters<Store[Name]>) => number } = {
    acceptTask: ({ taskId, arriving }) => (arriving ? 0 : enter(taskId)),
    noteArrivals: ({ taskIds }) => Math.ceil((ARRIVAL_BYTES + taskIds.length * ID_BYTES) / 1024),
    recordWait: ({ taskId }) => enter(taskId),
    queueTask: (taskId) => enter(taskId),
    claim: ({ tasks }) => tasks.reduce((sum, { taskId }) => sum + leave(taskId), 0),
  };
  const store = new Proxy(inner, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== 'function' || typeof name !== 'string') return method;
      return (...args: unknown[]) => {
        calls.set(name, (calls.get(name) ?? 0) + 1);
        const { call = 0, task = 0 } = UNITS[name] ?? {};
        const tasks = (args[0] as { readonly tasks?: readonly unknown[] } | undefined)?.tasks?.length ?? 0;
        units += call + task * tasks;
        units +=
          (besides[name as keyof Store] as ((...args: unknown[]) => number) | undefined)?.(...args) ?? 0;
        return method.apply(target, args);
      };
    },
  });
  return { store, calls, writeUnits: () => units };
}
