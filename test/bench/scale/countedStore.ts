import type { Store } from '../../../layers/ports/store.ts';

/** Write units of one call beside the units for each of its tasks; `test/contract/writeUnits.test.ts` measures them. */
const UNITS: Readonly<Record<string, { readonly call: number; readonly task?: number }>> = {
  acceptTask: { call: 2 },
  claim: { call: 2, task: 3 },
  recordLaunch: { call: 1 },
  recordRunning: { call: 1 },
  recordWait: { call: 1 },
  finishTask: { call: 1 },
  releaseClaims: { call: 1 },
  addHost: { call: 2 },
  registerHost: { call: 2 },
  openOrder: { call: 1 },
  closeOrder: { call: 1 },
};

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
  const store = new Proxy(inner, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== 'function' || typeof name !== 'string') return method;
      return (...args: unknown[]) => {
        calls.set(name, (calls.get(name) ?? 0) + 1);
        const { call = 0, task = 0 } = UNITS[name] ?? {};
        const tasks = (args[0] as { readonly tasks?: readonly unknown[] } | undefined)?.tasks?.length ?? 0;
        units += call + task * tasks;
        return method.apply(target, args);
      };
    },
  });
  return { store, calls, writeUnits: () => units };
}
