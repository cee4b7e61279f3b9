import type { Notice } from '../layers/domain/isolation/hostReport.ts';
import type { LadderTask } from '../layers/domain/isolation/pressureLadder.ts';
import { type UsagePoint, withPoint } from '../layers/domain/isolation/usageWindow.ts';
import type { CgroupFs } from './cgroupFs.ts';
import type { CgroupMounts } from './cgroupMounts.ts';
import { reportKey } from './reportKey.ts';
import { readCounters, type TaskCounters } from './taskSample.ts';
import type { TaskEntry } from './taskTable.ts';

/** What has been seen of one task over time. */
export interface TaskWatch {
  counters: TaskCounters;
  window: readonly UsagePoint[];
  /** The last look of the pressure ladder, whose windows are shorter. */
  ladder?: TaskCounters;
  throttled: boolean;
  ioStalled: boolean;
  /** Counts that have been told, and when last. */
  readonly told: Record<'oom-kill' | 'pids-limit', { count: number; atMs: number }>;
}

/** Held back longer than this share of the time is worth telling; it is told once until it ends. */
const THROTTLED_SHARE = 0.1;
const IO_STALL_SHARE = 0.3;
/** A task that is killed or refused again and again is told of this often, with the sum. */
const TELL_AGAIN_MS = 10_000;
/** Two looks closer than this give no rate. */
const MIN_WINDOW_MS = 500;

/** Watches tasks' counters and tells what happened to them. */
export class TaskWatches {
  readonly #fs: CgroupFs;
  readonly #mounts: CgroupMounts;
  readonly #byCgroup = new Map<string, TaskWatch>();
  readonly #tell: (notice: Notice) => void;

  constructor(fs: CgroupFs, mounts: CgroupMounts, tell: (notice: Notice) => void) {
    this.#fs = fs;
    this.#mounts = mounts;
    this.#tell = tell;
  }

  of(cgroup: string): TaskWatch | undefined {
    return this.#byCgroup.get(cgroup);
  }

  keepOnly(cgroups: ReadonlyMap<string, unknown>): void {
    for (const cgroup of this.#byCgroup.keys()) if (!cgroups.has(cgroup)) this.#byCgroup.delete(cgroup);
  }

  /** Reads the task's counters, adds a point of usage, and tells what has happened since the last look. */
  look(entry: TaskEntry, nowMs: number): void {
    const counters = readCounters(this.#fs, this.#mounts, entry.cgroup, nowMs);
    const watch = this.#byCgroup.get(entry.cgroup);
    if (watch === undefined) {
      const told = {
        'oom-kill': { count: counters.oomKills, atMs: -Infinity },
        'pids-limit': { count: counters.pidsHits, atMs: -Infinity },
      };
      this.#byCgroup.set(entry.cgroup, { counters, window: [], throttled: false, ioStalled: false, told });
      return;
    }
    const before = watch.counters;
    this.#tellCounts(entry, watch, counters);
    const elapsedMs = nowMs - before.atMs;
    if (elapsedMs < MIN_WINDOW_MS) return;
    watch.counters = counters;
    watch.window = withPoint(watch.window, {
      cpus: (counters.cpuUsageUs - before.cpuUsageUs) / 1000 / elapsedMs,
      memoryBytes: counters.memoryBytes,
    });
    this.#tellThrottling(entry, watch, before, elapsedMs);
    this.#tellIoStalls(entry, watch);
  }

  /** The task as the pressure ladder sees it, by rates since its last look. */
  forLadder(entry: TaskEntry, nowMs: number): LadderTask {
    const counters = readCounters(this.#fs, this.#mounts, entry.cgroup, nowMs);
    const watch = this.#byCgroup.get(entry.cgroup);
    const before = watch?.ladder ?? watch?.counters ?? counters;
    if (watch !== undefined) watch.ladder = counters;
    const elapsedMs = Math.max(MIN_WINDOW_MS, nowMs - before.atMs);
    return {
      key: entry.cgroup,
      qos: entry.qos,
      cpus: Math.max(0, (counters.cpuUsageUs - before.cpuUsageUs) / 1000 / elapsedMs),
      memoryBytes: counters.memoryBytes,
      throttled: counters.throttledPeriods > before.throttledPeriods,
      ...(counters.pressure === undefined ? {} : { pressure: counters.pressure }),
    };
  }

  #tellCounts(entry: TaskEntry, { told }: TaskWatch, counters: TaskCounters): void {
    const { memory, pidsMax } = entry.desired ?? {};
    const room =
      memory?.maxBytes === undefined ? 'the host ran out of memory' : `its limit is ${memory.maxBytes} bytes`;
    const news = [
      ['oom-kill', counters.oomKills, (count: number) => `${count} killed for memory: ${room}`],
      [
        'pids-limit',
        counters.pidsHits,
        (count: number) => `${count} forks refused at ${pidsMax ?? 'its limit of'} processes`,
      ],
    ] as const;
    for (const [kind, count, detail] of news) {
      const last = told[kind];
      if (count <= last.count || counters.atMs - last.atMs < TELL_AGAIN_MS) continue;
      this.#notice(entry, counters.atMs, kind, detail(count - last.count));
      told[kind] = { count, atMs: counters.atMs };
    }
  }

  #tellThrottling(entry: TaskEntry, watch: TaskWatch, before: TaskCounters, elapsedMs: number): void {
    const share = (watch.counters.throttledUs - before.throttledUs) / 1000 / elapsedMs;
    const throttled = share >= THROTTLED_SHARE;
    if (throttled && !watch.throttled) {
      const { quotaUs, periodUs = 0 } = entry.desired?.cpu ?? {};
      const cause = quotaUs === undefined ? 'a container of its own' : `${quotaUs / periodUs} CPUs`;
      const percent = Math.round(share * 100);
      this.#notice(
        entry,
        watch.counters.atMs,
        'throttled',
        `held back ${percent}% of the time by its quota of ${cause}`,
      );
    }
    watch.throttled = throttled;
  }

  #tellIoStalls(entry: TaskEntry, watch: TaskWatch): void {
    const share = watch.counters.pressure?.io ?? 0;
    const stalled = share >= IO_STALL_SHARE;
    if (stalled && !watch.ioStalled) {
      this.#notice(
        entry,
        watch.counters.atMs,
        'io-stall',
        `waited for I/O ${Math.round(share * 100)}% of ten seconds`,
      );
    }
    watch.ioStalled = stalled;
  }

  #notice(entry: TaskEntry, at: number, kind: Notice['kind'], detail: string): void {
    this.#tell({ at, taskId: reportKey(entry), kind, detail });
  }
}
