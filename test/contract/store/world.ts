import { beforeEach, expect } from 'vitest';
import type { Host } from '../../../layers/domain/model/host.ts';
import type { Reason } from '../../../layers/domain/model/reason.ts';
import type { Task } from '../../../layers/domain/model/task.ts';
import type { ClaimRequest, Store } from '../../../layers/ports/store.ts';
import type { PlanningReport } from '../../../layers/store/agentReports.ts';
import { aCluster, aHost, aTask } from '../../support/records.ts';

export const placed: Reason = { code: 'PLACED', detail: 'fits best' };
export const failed: Reason = { code: 'STOPPED', detail: 'exit code 1', cause: 'EXIT_NONZERO' };

export const claimRequest = (
  host: Host,
  tasks: readonly Task[],
  over: Partial<ClaimRequest> = {},
): ClaimRequest => ({
  cluster: host.cluster,
  hostId: host.hostId,
  epoch: host.epoch,
  nowMs: 1_790_000_001_000,
  reason: placed,
  tasks: tasks.map(({ taskId, attempt, spec }) => ({
    taskId,
    attempt,
    demand: spec.demand,
    hostPorts: spec.hostPorts,
    group: spec.group,
    priority: spec.priority,
    interruptible: spec.interruptible,
    ...(spec.concurrency !== undefined && { concurrency: spec.concurrency }),
  })),
  ...over,
});

export interface OpenStore {
  readonly store: Store;
  /** Puts a report where an instance's agent does, past the store. */
  report(instanceArn: string, report: PlanningReport): Promise<void>;
}

/** An empty store before every test, and the records that tests begin with. */
export interface StoreWorld extends OpenStore {
  accepted(over?: Partial<Task>): Promise<Task>;
  added(over?: Partial<Host>): Promise<Host>;
  placedTask(): Promise<{ host: Host; task: Task; ref: { taskId: string; attempt: number } }>;
}

export function storeWorld(open: () => Promise<OpenStore>): StoreWorld {
  let opened: OpenStore;
  let store: Store;
  beforeEach(async () => {
    opened = await open();
    store = opened.store;
    await store.ensureCluster(aCluster({ cells: 3 }));
  });
  const accepted: StoreWorld['accepted'] = async (over = {}) => (await store.acceptTask(aTask(over))).task;
  const added: StoreWorld['added'] = async (over = {}) => {
    const host = aHost(over);
    await store.addHost(host);
    return host;
  };
  return {
    get store() {
      return store;
    },
    report: (instanceArn, report) => opened.report(instanceArn, report),
    accepted,
    added,
    async placedTask() {
      const [host, task] = [await added(), await accepted()];
      expect(await store.claim(claimRequest(host, [task]))).toEqual({ outcome: 'claimed' });
      return { host, task, ref: { taskId: task.taskId, attempt: 1 } };
    },
  };
}
