import type { Notice } from '../layers/domain/isolation/hostReport.ts';
import {
  calmLadder,
  climb,
  type LadderEvent,
  type LadderState,
  type Pressures,
  rests,
  restsAt,
} from '../layers/domain/isolation/pressureLadder.ts';
import { reportKey } from './reportKey.ts';
import type { TaskEntry, TaskTable } from './taskTable.ts';
import type { TaskWatches } from './taskWatch.ts';

export interface ReliefParts {
  readonly table: Pick<TaskTable, 'tasks' | 'squeeze'>;
  readonly watches: TaskWatches;
  /** Steps are told and not taken. */
  readonly dryRun: boolean;
  hostPressure(): Pressures;
  /** Writes `memory.reclaim`; may take a while and may fail, both of which are reclaim's nature. */
  reclaim(cgroup: string, bytes: number): Promise<void>;
  kill(containerIds: readonly string[]): Promise<void>;
  tell(notice: Notice): void;
  log(line: string): void;
}

/** Carries the pressure ladder out. */
export class Relief {
  readonly #parts: ReliefParts;
  #state: LadderState = calmLadder;

  constructor(parts: ReliefParts) {
    this.#parts = parts;
  }

  /**
   * One look; whether there is nothing to do until the pressure of a protected task rises. Reads no task while the host as a
   * whole is at ease, and only those of `stalled` (by group, absent: all) while the ladder rests: of the others it is
   * known that they are below every mark.
   */
  look(nowMs: number, stalled?: ReadonlySet<string>): boolean {
    const { table, watches, dryRun } = this.#parts;
    const host = this.#parts.hostPressure();
    if (restsAt(this.#state, host)) {
      this.#state = calmLadder;
      return true;
    }
    const all = [...table.tasks.values()];
    const few = stalled !== undefined && rests(this.#state);
    const entries = few ? all.filter(({ cgroup }) => stalled.has(cgroup)) : all;
    const tasks = entries.map((entry) => watches.forLadder(entry, nowMs));
    const { state, events } = climb(this.#state, { host, tasks }, nowMs);
    this.#state = state;
    for (const event of events) this.#carryOut(event, nowMs);
    if (!dryRun) for (const { cgroup } of entries) table.squeeze(cgroup, state.squeezes[cgroup]);
    return rests(state);
  }

  #carryOut(event: LadderEvent, nowMs: number): void {
    const { dryRun, tell, log } = this.#parts;
    const entry = this.#entry(event.key);
    const taskId = entry === undefined ? '' : reportKey(entry);
    const pressed = this.#entry(event.pressed);
    const whose = pressed === undefined ? '' : ` of ${reportKey(pressed)}`;
    const numbers = `${event.resource} pressure ${event.pressure.toFixed(2)}${whose}, mark ${event.threshold}`;
    const detail = [dryRun ? 'dry run:' : '', event.kind, event.step ?? '', `(${numbers})`].filter(
      (part) => part !== '',
    );
    tell({
      at: nowMs,
      taskId,
      kind: event.step === 'evict' ? 'evict' : 'pressure',
      detail: detail.join(' '),
    });
    if (dryRun || entry === undefined || event.kind !== 'escalate') return;
    const failed = (error: Error): void => log(`${event.step} of ${taskId}: ${error.message}`);
    if (event.step === 'reclaim') this.#parts.reclaim(entry.cgroup, event.bytes ?? 0).catch(failed);
    if (event.step === 'evict' && event.kill === true) {
      this.#parts.kill([...entry.containers.keys()]).catch(failed);
    }
  }

  #entry(cgroup: string | undefined): TaskEntry | undefined {
    return cgroup === undefined ? undefined : this.#parts.table.tasks.get(cgroup);
  }
}
