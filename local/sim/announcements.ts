import { hostCost } from '../../layers/domain/capacity/hostCost.ts';
import type { Host } from '../../layers/domain/model/host.ts';
import type { CapacityOrder } from '../../layers/domain/model/pool.ts';
import type { Task } from '../../layers/domain/model/task.ts';

const states: Readonly<Record<string, Task['state'] | 'ACCEPTED'>> = {
  'Task Accepted': 'ACCEPTED',
  'Task Waiting': 'PENDING',
  'Task Placed': 'PLACED',
  'Task Running': 'RUNNING',
  'Task Succeeded': 'SUCCEEDED',
  'Task Failed': 'FAILED',
  'Task Cancelled': 'CANCELLED',
};

/** What was recorded of tasks and hosts and what was announced of them, to be held against each other. */
export class Announcements {
  private readonly recorded = new Set<string>();
  private readonly announced = new Set<string>();
  private readonly known = new Set<string>();

  record({ taskId, state, attempt }: Task): void {
    if (!this.known.has(taskId)) this.recorded.add(`${taskId} ACCEPTED ${attempt}`);
    this.known.add(taskId);
    this.recorded.add(`${taskId} ${state} ${attempt}`);
  }

  recordOrder({ bought }: CapacityOrder): void {
    for (const { hostIds } of bought) for (const hostId of hostIds) this.recorded.add(`${hostId} out`);
  }

  recordHost(before: Host | undefined, after: Host | undefined): void {
    if (before?.state !== 'TERMINATING' && after?.state === 'TERMINATING')
      this.recorded.add(`${after.hostId} in`);
    if (before !== undefined && after === undefined)
      this.recorded.add(`${before.hostId} ended ${hostCost(before, before.stateSince ?? 0).usd}`);
  }

  /** An entry of PutEvents that was taken. */
  announce(detailType: string, detail: string): void {
    if (detailType === 'Cluster Scaled') {
      const { hosts, direction } = JSON.parse(detail) as { hosts: { hostId: string }[]; direction: string };
      for (const { hostId } of hosts) this.announced.add(`${hostId} ${direction}`);
      return;
    }
    if (detailType === 'Host Ended') {
      const { hostId, usd } = JSON.parse(detail) as { hostId: string; usd: number };
      this.announced.add(`${hostId} ended ${usd}`);
      return;
    }
    const state = states[detailType];
    if (state === undefined) return;
    const { taskId, attempt } = JSON.parse(detail) as Pick<Task, 'taskId' | 'attempt'>;
    this.announced.add(`${taskId} ${state} ${attempt}`);
  }

  /**
   * Announced without having been on record. That an attempt ran may be announced with its end, when its beginning was
   * not seen in time; then it has to have run.
   */
  invented(hasRun: (taskId: string, attempt: number) => boolean): string[] {
    return [...this.announced].filter((what) => {
      const [taskId = '', state, attempt] = what.split(' ');
      return !this.recorded.has(what) && !(state === 'RUNNING' && hasRun(taskId, Number(attempt)));
    });
  }

  /** Beginnings, placements, runs and ends, purchases and retirements that were recorded and never announced. To wait may be silent. */
  missing(): string[] {
    return [...this.recorded].filter(
      (what) => !this.announced.has(what) && !/ (BLOCKED|PENDING) /.test(what),
    );
  }
}
