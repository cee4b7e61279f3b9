import { type Deadline, Deadlines, WakeTimer } from '../engine/deadlines.ts';
import type { EngineContext } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import type { Schedule as Times } from '../events/schedule/expression.ts';
import { nextRun, type StoredSchedule, timesOf } from './schedule.ts';

interface Entry {
  stored: StoredSchedule;
  readonly times: Times;
  /** The time it is due for, before the draw of its flexible window. */
  atMs: number;
  deadline: Deadline<Entry> | undefined;
}

/** All schedules, and the one timer for the earliest of them. */
export class Timetable {
  private readonly context: EngineContext;
  private readonly schedules: Collection<StoredSchedule>;
  private readonly entries = new Map<string, Entry>();
  private readonly deadlines = new Deadlines<Entry>();
  private readonly timer: WakeTimer;
  private readonly run: (schedule: StoredSchedule, atMs: number) => void;
  private started = false;

  constructor(context: EngineContext, run: (schedule: StoredSchedule, atMs: number) => void) {
    this.context = context;
    this.run = run;
    this.schedules = context.state.collection('scheduler.schedules');
    this.timer = new WakeTimer(context.clock, () => this.wake());
    for (const stored of this.schedules.values()) this.enter(stored);
  }

  get(arn: string): StoredSchedule | undefined {
    return this.schedules.get(arn);
  }

  all(): StoredSchedule[] {
    return [...this.schedules.values()];
  }

  /** Compiles first, so that a malformed expression changes nothing. */
  put(stored: StoredSchedule): void {
    timesOf(stored);
    this.schedules.set(stored.arn, stored);
    this.leave(stored.arn);
    this.enter(stored);
  }

  remove(arn: string): void {
    this.leave(arn);
    this.schedules.delete(arn);
  }

  /** What fell due while the process was down runs now, once for each schedule. */
  start(): void {
    this.started = true;
    this.wake();
  }

  stop(): void {
    this.started = false;
    this.timer.stop();
  }

  private enter(stored: StoredSchedule): void {
    const entry: Entry = { stored, times: timesOf(stored), atMs: 0, deadline: undefined };
    this.entries.set(stored.arn, entry);
    this.plan(entry);
  }

  private leave(arn: string): void {
    const deadline = this.entries.get(arn)?.deadline;
    if (deadline !== undefined) this.deadlines.remove(deadline);
    this.entries.delete(arn);
  }

  /** False when nothing is left to run. */
  private plan(entry: Entry): boolean {
    const atMs = nextRun(entry.stored, entry.times);
    if (atMs === undefined) return false;
    const draw = Number.parseInt(this.context.hex(8), 16) / 0x1_0000_0000;
    const dueMs = atMs + Math.floor(entry.stored.windowMs * draw);
    entry.atMs = atMs;
    entry.deadline = this.deadlines.add(entry, dueMs);
    if (this.started) this.timer.need(dueMs);
    return true;
  }

  private wake(): void {
    const nowMs = this.context.clock.now();
    for (
      let entry = this.deadlines.takeDue(nowMs);
      entry !== undefined;
      entry = this.deadlines.takeDue(nowMs)
    ) {
      const { stored, atMs } = entry;
      const next = { ...stored, lastMs: Math.max(atMs, nowMs) };
      entry.stored = next;
      const isDone = !this.plan(entry);
      this.context.state.atomically(() => {
        this.run(stored, atMs);
        if (isDone && stored.deleteWhenDone) this.remove(stored.arn);
        else this.schedules.set(stored.arn, next);
      });
    }
    this.timer.need(this.deadlines.earliestMs);
  }
}
