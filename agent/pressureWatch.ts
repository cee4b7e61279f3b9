import type { Armed } from './groupTriggers.ts';

/** How often the ladder looks while there is pressure, and always where no trigger tells of it. */
export const LADDER_MS = 2_000;
/** With triggers, all tasks are looked at this often all the same: the floor, should one be lost. */
export const FLOOR_MS = 30_000;
/** A trigger tells of two seconds, the ladder reads averages of ten: until they can show it, it keeps looking. */
export const ALERT_MS = 10_000;
/** What comes is armed when its limits have long been written, and those of what comes with it. */
export const ARM_AFTER_MS = 250;
/** Groups that are armed in one turn: some two milliseconds, which a task that comes meanwhile may have to wait. */
const ARMED_PER_TURN = 16;

export interface PressureWatchParts {
  /** The group of all tasks. */
  readonly parent: string;
  /** Groups of the tasks there are. */
  tasks(): Iterable<string>;
  /** Whether the ladder acts for the task of this group: what stalls a best-effort one moves nothing. */
  guarded(cgroup: string): boolean;
  /** One look of the ladder, at the tasks that have stalled or at all; whether there is nothing to do until pressure rises. */
  look(nowMs: number, stalled?: ReadonlySet<string>): boolean;
  /** See `PressureTriggers.arm`. */
  arm(cgroup: string): Armed;
  now(): number;
  /** Resolves after `ms` or at once when `signal` aborts; never rejects. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
  /** Runs the work after `ms`. */
  later(ms: number, work: () => void): void;
}

/**
 * Lets the ladder look when and where there is something to see: from the moment a task's trigger fires until its pressure
 * is below the marks again. Tasks without triggers of their own are told of by that of all of them, which fires whenever
 * one of them stalls, and cannot say which.
 */
export class PressureWatch {
  readonly #parts: PressureWatchParts;
  /** Guarded tasks that have stalled, and until when they are looked at whatever their averages say. */
  readonly #stalled = new Map<string, number>();
  /** Guarded tasks whose triggers were refused, and why. */
  readonly #refused = new Map<string, string>();
  readonly #toArm = new Set<string>();
  #parentArmed: Armed = { refused: 'not tried yet' };
  /** Until when all tasks are looked at, since that of all has fired. */
  #alertUntilMs = -Infinity;
  #lookedAtAllMs = -Infinity;
  #armedAllMs = -Infinity;
  #begun = false;
  #resting: AbortController | undefined;

  constructor(parts: PressureWatchParts) {
    this.#parts = parts;
  }

  /** How many tasks have none of their own, one of the reasons, and whether the trigger of all tells of them. */
  get uncovered(): { readonly tasks: number; readonly why?: string; readonly toldByAll: boolean } {
    const [why] = this.#refused.values();
    const toldByAll = typeof this.#parentArmed === 'string';
    return { tasks: this.#refused.size, ...(why === undefined ? {} : { why }), toldByAll };
  }

  /** Triggers are known to work from now on: all that is there is armed. */
  begin(): void {
    this.#begun = true;
    this.#armParent();
    for (const cgroup of this.#parts.tasks()) this.arrived(cgroup);
  }

  /** A task's group has come, or perhaps that of cgroup v2 beside v1's, which the engine makes at the start. */
  arrived(cgroup: string): void {
    if (!this.#begun) return;
    if (this.#toArm.size === 0) this.#parts.later(ARM_AFTER_MS, () => this.#armSome());
    this.#toArm.add(cgroup);
  }

  gone(cgroup: string): void {
    for (const groups of [this.#stalled, this.#refused, this.#toArm]) groups.delete(cgroup);
  }

  /** A trigger has fired: it is looked at once, unless looks are under way. */
  fired(cgroup: string): void {
    const untilMs = this.#parts.now() + ALERT_MS;
    if (cgroup === this.#parts.parent) {
      this.#parentArmed = 'above';
      // Those with triggers of their own tell by themselves.
      if (this.#refused.size === 0) return;
      this.#alertUntilMs = untilMs;
    } else {
      if (!this.#parts.guarded(cgroup)) return;
      this.#stalled.set(cgroup, untilMs);
    }
    this.#resting?.abort();
  }

  async run(closing: AbortSignal): Promise<void> {
    while (!closing.aborted) {
      const rests = this.#look(this.#parts.now());
      const told = rests && this.#stalled.size === 0 && this.#toldOfAll();
      this.#resting = told ? new AbortController() : undefined;
      const signals = this.#resting === undefined ? [closing] : [closing, this.#resting.signal];
      await this.#parts.pause(told ? FLOOR_MS : LADDER_MS, AbortSignal.any(signals));
    }
    this.#toArm.clear();
  }

  #look(nowMs: number): boolean {
    const few = this.#stalled.size > 0 && this.#toldOfAll() && nowMs < this.#lookedAtAllMs + FLOOR_MS;
    const rests = this.#parts.look(nowMs, few ? new Set(this.#stalled.keys()) : undefined);
    if (!few) this.#lookedAtAllMs = nowMs;
    if (this.#begun) this.#armAgain(nowMs);
    return rests;
  }

  /** What has fired and is calm, and from time to time what had no triggers so far. */
  #armAgain(nowMs: number): void {
    for (const [cgroup, untilMs] of [...this.#stalled]) if (nowMs >= untilMs) this.#arm(cgroup);
    if (this.#parentArmed !== 'armed' && nowMs >= this.#alertUntilMs) this.#armParent();
    if (nowMs < this.#armedAllMs + FLOOR_MS) return;
    this.#armedAllMs = nowMs;
    this.#armParent();
    for (const cgroup of this.#parts.tasks()) {
      if (!this.#stalled.has(cgroup) && !this.#toArm.has(cgroup)) this.#arm(cgroup);
    }
  }

  /** Whether a trigger will fire before any guarded task that has not stalled yet passes a mark. */
  #toldOfAll(): boolean {
    return this.#begun && (this.#refused.size === 0 || this.#parentArmed === 'armed');
  }

  #armParent(): void {
    this.#parentArmed = this.#parts.arm(this.#parts.parent);
  }

  #armSome(): void {
    const some = [...this.#toArm].slice(0, ARMED_PER_TURN);
    for (const cgroup of some) {
      this.#toArm.delete(cgroup);
      this.#arm(cgroup);
    }
    if (this.#toArm.size > 0) this.#parts.later(0, () => this.#armSome());
  }

  #arm(cgroup: string): void {
    const armed = this.#parts.arm(cgroup);
    this.#refused.delete(cgroup);
    if (armed === 'armed') {
      this.#stalled.delete(cgroup);
      return;
    }
    if (!this.#parts.guarded(cgroup)) return;
    if (armed !== 'above') {
      this.#stalled.delete(cgroup);
      this.#refused.set(cgroup, armed.refused);
    } else if (!this.#stalled.has(cgroup)) {
      // It has stalled since before it could be armed.
      this.#stalled.set(cgroup, -Infinity);
    }
    if (!this.#toldOfAll() || armed === 'above') this.#resting?.abort();
  }
}
