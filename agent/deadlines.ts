import type { ContainerView } from './taskView.ts';

/** The control plane stops a task at its timeout; only where it stays silent this long does the host act. */
const CONTROL_PLANE_FIRST_MS = 10_000;
/** setTimeout holds at most 2^31-1 ms. */
const MAX_TIMER_MS = 2_147_483_647;

/** Ends tasks that have outlived their timeout, without anybody else's help. */
export class Deadlines {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #expired: (cgroup: string, afterSeconds: number) => void;

  constructor(expired: (cgroup: string, afterSeconds: number) => void) {
    this.#expired = expired;
  }

  /** Arms the task's deadline from its first start; later containers of the task do not move it. */
  arm(cgroup: string, { timeoutSeconds, startedAt }: ContainerView, nowMs: number): void {
    if (timeoutSeconds === undefined || startedAt === undefined || this.#timers.has(cgroup)) return;
    const waitMs = startedAt + timeoutSeconds * 1000 + CONTROL_PLANE_FIRST_MS - nowMs;
    if (waitMs > MAX_TIMER_MS) return;
    const timer = setTimeout(() => this.#expired(cgroup, timeoutSeconds), Math.max(0, waitMs));
    timer.unref();
    this.#timers.set(cgroup, timer);
  }

  keepOnly(cgroups: ReadonlyMap<string, unknown>): void {
    for (const [cgroup, timer] of this.#timers) {
      if (cgroups.has(cgroup)) continue;
      clearTimeout(timer);
      this.#timers.delete(cgroup);
    }
  }

  close(): void {
    this.keepOnly(new Map());
  }
}
