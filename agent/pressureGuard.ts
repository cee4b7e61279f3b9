import type { PressedResource } from '../layers/domain/isolation/pressureLadder.ts';
import type { CgroupFs } from './cgroupFs.ts';
import type { CgroupMounts } from './cgroupMounts.ts';
import { readPressure } from './pressure.ts';
import { PressureTriggers } from './pressureTriggers.ts';
import { PressureWatch, type PressureWatchParts } from './pressureWatch.ts';
import { Relief, type ReliefParts } from './relief.ts';
import { reportKey } from './reportKey.ts';
import type { TaskEntry } from './taskTable.ts';

export interface PressureGuardParts
  extends Omit<ReliefParts, 'hostPressure'>,
    Pick<PressureWatchParts, 'now' | 'pause' | 'later'> {
  readonly fs: CgroupFs;
  readonly mounts: CgroupMounts;
  /** The group below which tasks lie. */
  readonly parent: string;
}

/** A task that stalls again and again is named in the log this often. */
const NAMED_AGAIN_MS = 60_000;

/** The pressure ladder, and what lets it look: triggers on tasks' groups, and a clock. */
export class PressureGuard {
  readonly #parts: PressureGuardParts;
  readonly #relief: Relief;
  readonly #triggers: PressureTriggers;
  readonly #watch: PressureWatch;
  /** Entries that tell when they are forgotten. */
  readonly #followed = new WeakSet<TaskEntry>();
  /** When each was named last, by resource; `this` stands for all tasks. */
  readonly #named = new WeakMap<object, Map<PressedResource, number>>();
  #refused = false;

  constructor(parts: PressureGuardParts) {
    const { fs, mounts, parent, table, log, now, pause, later } = parts;
    this.#parts = parts;
    this.#relief = new Relief({ ...parts, hostPressure: () => readPressure(fs, mounts, parent) });
    this.#triggers = new PressureTriggers(fs, mounts, parent, (cgroup, resource) =>
      this.#fired(cgroup, resource),
    );
    this.#watch = new PressureWatch({
      parent,
      tasks: () => table.tasks.keys(),
      guarded: (cgroup) => (table.tasks.get(cgroup)?.qos ?? 'best-effort') !== 'best-effort',
      look: (nowMs, stalled) => {
        try {
          return this.#relief.look(nowMs, stalled);
        } catch (error) {
          // E.g. a group that has just gone: the next look stands on its own.
          log(`looking at pressure: ${(error as Error).message}`);
          return false;
        }
      },
      arm: (cgroup) => this.#triggers.arm(cgroup),
      now,
      pause,
      later,
    });
  }

  /** For the report: `yes` when every task has triggers of its own, and the kernel is known to tell of them. */
  get capability(): string {
    if (!this.#triggers.proven) {
      const reason = this.#refused ? 'refused here' : 'none has fired yet';
      return `partial: ${reason}, pressure is read every two seconds`;
    }
    const { tasks, why, toldByAll } = this.#watch.uncovered;
    if (tasks > 0) {
      const instead = toldByAll ? 'those of all tasks tell of them' : 'pressure is read every two seconds';
      return `partial: tasks without triggers of their own: ${tasks} (${why}), ${instead}`;
    }
    return this.#triggers.threads ? 'partial: the kernel keeps a thread for each task' : 'yes';
  }

  /** A task is there, or has started; its triggers follow when nothing else is to do. */
  arrived(entry: TaskEntry): void {
    if (!this.#followed.has(entry)) {
      this.#followed.add(entry);
      entry.unwatch.push(() => {
        this.#watch.gone(entry.cgroup);
        this.#triggers.drop(entry.cgroup);
      });
    }
    this.#watch.arrived(entry.cgroup);
  }

  /** Until `signal`; triggers are closed then, what was taken stays taken. */
  async run(signal: AbortSignal): Promise<void> {
    this.#refused = !this.#triggers.probe(() => this.#watch.begin());
    await this.#watch.run(signal);
    this.#triggers.close();
  }

  #fired(cgroup: string, resource: PressedResource): void {
    this.#name(this.#parts.table.tasks.get(cgroup), resource);
    this.#watch.fired(cgroup);
  }

  #name(entry: TaskEntry | undefined, resource: PressedResource): void {
    const named = this.#named.get(entry ?? this) ?? new Map<PressedResource, number>();
    const nowMs = this.#parts.now();
    if (nowMs < (named.get(resource) ?? -Infinity) + NAMED_AGAIN_MS) return;
    this.#named.set(entry ?? this, named.set(resource, nowMs));
    this.#parts.log(`${resource} stalls ${entry === undefined ? 'all tasks' : reportKey(entry)}`);
  }
}
