import type { Notice } from '../layers/domain/isolation/hostReport.ts';
import {
  calmLadder,
  climb,
  type LadderEvent,
  type LadderState,
  type Pressures,
  restsAt,
} from '../layers/domain/isolation/pressureLadder.ts';
import { reportKey } from './taskReport.ts';
import type { TaskTable } from './taskTable.ts';
import type { TaskWatches } from './taskWatch.ts';

export interface ReliefParts {
  readonly table: TaskTable;
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

  /** One look; whether there is nothing to do until the pressure rises. Reads no task while the host as a whole is at ease. */
  look(nowMs: number): boolean {
    const { table, watches, dryRun } = this.#parts;
    const entries = [...table.tasks.values()];
    const host = this.#parts.hostPressure();
    if (restsAt(this.#state, host)) {
      this.#state = calmLadder;
      return true;
    }
    const tasks = entries.map((entry) => watches.forLadder(entry, nowMs));
    const { state, events } = climb(this.#state, { host, tasks }, nowMs);
    this.#state = state;
    for (const event of events) this.#carryOut(event, nowMs);
    if (dryRun) return false;
    for (const { cgroup } of entries) table.squeeze(cgroup, state.squeezes[cgroup]);
    return false;
  }

  #carryOut(event: LadderEvent, nowMs: number): void {
    const { table, dryRun, tell, log } = this.#parts;
    const entry = event.key === undefined ? undefined : table.tasks.get(event.key);
    const taskId = entry === undefined ? '' : reportKey(entry);
    const numbers = `${event.resource} pressure ${event.pressure.toFixed(2)}, mark ${event.threshold}`;
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
}
